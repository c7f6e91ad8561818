// Command warm gets the credentials of a role through the disk cache in the directory
// that is its argument. With a second argument the entries are encrypted.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/chaoxiaodi/awsauth"
)

func main() {
	opts := []awsauth.Option{awsauth.WithAccount("123456789012"), awsauth.WithDiskCache(os.Args[1])}
	if len(os.Args) > 2 {
		opts = append(opts, awsauth.WithDiskCacheKey(func(context.Context) ([]byte, error) { return make([]byte, 32), nil }))
	}
	s, err := awsauth.New(opts...)
	if err != nil {
		log.Fatal(err)
	}
	keys, err := s.Retrieve(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(keys.AccessKeyID)
}
