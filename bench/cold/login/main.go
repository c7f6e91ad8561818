// Command login gets the credentials of `aws login` in the profile dev, with the bare
// SDK or, where its argument is "awsauth", with awsauth. It begins when its standard
// input ends, so that many can begin at once.
package main

import (
	"context"
	"io"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/service/signin"

	"github.com/chaoxiaodi/awsauth"
)

func main() {
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		log.Fatal(err)
	}
	var provider aws.CredentialsProvider
	var err error
	if len(os.Args) > 1 && os.Args[1] == "awsauth" {
		provider, err = awsauth.New(awsauth.WithProfile("dev"))
	} else {
		provider, err = bareSDK()
	}
	if err != nil {
		log.Fatal(err)
	}
	if _, err := provider.Retrieve(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// bareSDK is the SDK's provider, as LoadDefaultConfig makes it for the profile. It is
// made by hand because that one does not heed AWS_ENDPOINT_URL.
func bareSDK() (aws.CredentialsProvider, error) {
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithSharedConfigProfile("dev"))
	if err != nil {
		return nil, err
	}
	path, err := logincreds.StandardCachedTokenFilepath(os.Getenv("LOGIN_SESSION"), os.Getenv("AWS_LOGIN_CACHE_DIRECTORY"))
	client := signin.NewFromConfig(cfg, func(o *signin.Options) { o.BaseEndpoint = aws.String(os.Getenv("AWS_ENDPOINT_URL")) })
	return logincreds.New(client, path), err
}
