// Command awsauth gets the first credentials of a role with awsauth.
package main

import (
	"context"
	"log"

	"github.com/chaoxiaodi/awsauth"
)

func main() {
	s, err := awsauth.New(awsauth.WithAccount("123456789012"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Retrieve(context.Background()); err != nil {
		log.Fatal(err)
	}
}
