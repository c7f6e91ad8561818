package redact

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// ConfigSources copies the SDK's configuration sources without what is secret in
// them. Service clients read endpoints, FIPS, dual stack and such from there,
// never credentials; fmt prints every field of an aws.Config.
func ConfigSources(sources []any) []any {
	clean := make([]any, len(sources))
	for i, src := range sources {
		switch c := src.(type) {
		case config.EnvConfig:
			c.Credentials = aws.Credentials{}
			c.ContainerAuthorizationToken = ""
			c.ContainerCredentialsEndpoint, c.ContainerCredentialsRelativePath = "", "" // their paths may be secret
			clean[i] = c
		case config.SharedConfig:
			clean[i] = profile(c)
		case config.LoadOptions:
			c.Credentials = nil
			c.BearerAuthTokenProvider = nil
			clean[i] = c
		default:
			clean[i] = src
		}
	}
	return clean
}

func profile(c config.SharedConfig) config.SharedConfig {
	c.Credentials = aws.Credentials{}
	c.CredentialProcess = "" // its arguments may hold a secret
	c.ExternalID = ""
	c.Source = nil
	return c
}
