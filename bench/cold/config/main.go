// Command config loads the SDK's config, prints something of it, and ends: what a
// program costs that has the SDK, before it asks for any credentials.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cfg.Region)
}
