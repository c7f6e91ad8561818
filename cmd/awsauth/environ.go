package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth/internal/names"
)

// shadowing are the variables of the caller that would lead a command, or what it
// starts, to another identity than the one that is meant. They are taken away and
// never emptied: boto3 takes an empty AWS_PROFILE for the name of a profile.
var shadowing = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION", "AWS_ACCOUNT_ID",
	"AWS_SECURITY_TOKEN", // of boto 2: boto3 takes it before AWS_SESSION_TOKEN
	"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_CREDENTIAL_FILE", "AWS_CREDENTIAL_PROFILES_FILE",
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE",
	"AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
	"AWS_REGION", "AWS_DEFAULT_REGION", "AWSAUTH_ACCOUNT", "AWSAUTH_PROMPT",
}

// bearerTokens begin the names of the keys that a service takes instead of
// signatures, like AWS_BEARER_TOKEN_BEDROCK: they win over the role's.
const bearerTokens = "AWS_BEARER_TOKEN_"

// isShadowing reports whether a variable is one of those. Case does not count on
// Windows.
func isShadowing(name string) bool {
	name = strings.ToUpper(name)
	return strings.HasPrefix(name, bearerTokens) || slices.Contains(shadowing, name)
}

// callersEnviron is the environment without what names an identity.
func callersEnviron(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return isShadowing(name)
	})
}

// variable is one of a command's environment.
type variable struct{ name, value string }

// keyVariables give a command the keys, and the region, which some SDKs read from
// the one variable and some from the other.
func keyVariables(keys aws.Credentials, region string) []variable {
	all := []variable{{"AWS_ACCESS_KEY_ID", keys.AccessKeyID}, {"AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey}}
	if keys.SessionToken != "" {
		all = append(all, variable{"AWS_SESSION_TOKEN", keys.SessionToken})
	}
	if keys.CanExpire {
		all = append(all, variable{"AWS_CREDENTIAL_EXPIRATION", expiration(keys)})
	}
	if account := accountOf(keys); account != "" {
		all = append(all, variable{"AWS_ACCOUNT_ID", account})
	}
	return append(all, regionVariables(region)...)
}

// accountOf is the account of keys, where it is known for certain: the caller's
// AWS_ACCOUNT_ID may have been left from other keys.
func accountOf(keys aws.Credentials) string {
	if isEnvironment(keys) || !names.IsAccount(keys.AccountID) {
		return ""
	}
	return keys.AccountID
}

func regionVariables(region string) []variable {
	return []variable{{"AWS_REGION", region}, {"AWS_DEFAULT_REGION", region}}
}

// expiration is when keys expire, in the one form that every SDK reads.
func expiration(keys aws.Credentials) string {
	return keys.Expires.UTC().Truncate(time.Second).Format("2006-01-02T15:04:05Z")
}

// withEnd adds the end to temporary keys that come from the environment. The library
// does not know it; exec, env and the AWS CLI write it beside the keys. A program that
// is told of no end never asks again. Keys that have ended are refused. A variable that
// holds no time says nothing.
func withEnd(cmd *cli.Command, keys aws.Credentials) (aws.Credentials, error) {
	if !isEnvironment(keys) || keys.SessionToken == "" || keys.CanExpire {
		return keys, nil
	}
	value := os.Getenv("AWS_CREDENTIAL_EXPIRATION")
	end, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return keys, nil
	}
	if !time.Now().Before(end) {
		return aws.Credentials{}, &failure{fmt.Errorf("awsauth: %s: the keys in the environment ended at %s, as AWS_CREDENTIAL_EXPIRATION says; "+
			"get new ones, or unset that variable if it was left from other keys", cmd.Name, value)}
	}
	keys.CanExpire, keys.Expires = true, end
	return keys, nil
}

// isEnvironment reports whether keys are those of the environment, and not of a role
// that was assumed with them.
func isEnvironment(keys aws.Credentials) bool { return keys.Source == config.CredentialsSourceName }

// with is an environment with these variables too.
func with(environ []string, all ...variable) []string {
	environ = slices.Clip(environ)
	for _, v := range all {
		environ = append(environ, v.name+"="+v.value)
	}
	return environ
}
