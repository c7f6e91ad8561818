package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Stored are long-lived keys that lie somewhere, and may be replaced there. It is a
// provider for awsauth.WithCredentialsProvider: it reads, and the session does the rest.
type Stored struct {
	Read func(context.Context) (id, secret string, err error)

	// Lifetime is how long keys are used without being read again. The session reads
	// in the background, in the middle third of it. While the place cannot be
	// reached, the keys at hand are used until its end. Keys that AWS refuses are read
	// again at once.
	Lifetime time.Duration
}

// Retrieve implements aws.CredentialsProvider.
func (s Stored) Retrieve(ctx context.Context) (aws.Credentials, error) {
	id, secret, err := s.Read(ctx)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("stored keys: %w", err)
	}
	return aws.Credentials{
		AccessKeyID: id, SecretAccessKey: secret, Source: "stored keys",
		CanExpire: true, Expires: time.Now().Add(s.Lifetime),
	}, nil
}

// Secret reads a secret of Secrets Manager: {"access_key_id": "…", "secret_access_key": "…"}.
func Secret(client *secretsmanager.Client, name string) func(context.Context) (string, string, error) {
	return func(ctx context.Context) (string, string, error) {
		out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
		if err != nil {
			return "", "", err
		}
		var keys struct {
			ID     string `json:"access_key_id"`
			Secret string `json:"secret_access_key"`
		}
		if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &keys) != nil {
			return "", "", errors.New("the secret is not JSON") // its text must not get into an error
		}
		return keys.ID, keys.Secret, nil
	}
}

// Row reads a row of a database: SELECT access_key_id, secret_access_key FROM ….
func Row(db *sql.DB, query string, args ...any) func(context.Context) (string, string, error) {
	return func(ctx context.Context) (id, secret string, err error) {
		err = db.QueryRowContext(ctx, query, args...).Scan(&id, &secret)
		return id, secret, err
	}
}
