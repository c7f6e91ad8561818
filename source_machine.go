package awsauth

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"

	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/transport"
)

// containerSource asks the endpoint that ECS and EKS give a container. Its address
// is looked at only here, where it decides.
func (l *look) containerSource() (*source, error) {
	address, variable := firstEnv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if err := checkContainer(variable, address); err != nil {
		return nil, err
	}
	if variable == "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" {
		address = transport.ContainerHost + address
	}
	s := &source{kind: sourceContainer, asks: true, detail: variable}
	s.kinds = []aws.CredentialSource{aws.CredentialSourceHTTP}
	token, file := os.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN"), os.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
	if strings.ContainsAny(token, "\r\n") {
		return nil, invalid("", "a line end in AWS_CONTAINER_AUTHORIZATION_TOKEN").mend("trim what was read from a file")
	}
	s.open = func(k *kit) (fetch, error) {
		var unread atomic.Pointer[error] // of the token's file: the SDK keeps its text only
		provider := endpointcreds.New(address, func(o *endpointcreds.Options) {
			o.HTTPClient, o.APIOptions = noNull{k.container}, k.cfg.APIOptions
			o.AuthorizationToken = token
			if file != "" {
				o.AuthorizationTokenProvider = endpointcreds.TokenProviderFunc(func() (string, error) {
					token, err := readToken(file)
					if strings.ContainsAny(token, "\r\n") {
						token, err = "", &tokenFileError{file, errors.New("it has a line end in its midst")}
					}
					unread.Store(&err)
					return token, err
				})
			}
			if k.cfg.Retryer != nil {
				o.Retryer = k.cfg.Retryer()
			}
			if fn := k.opts.EndpointCredentialOptions; fn != nil {
				fn(o)
			}
		})
		return s.classified(func(ctx context.Context) (aws.Credentials, error) {
			unread.Store(nil)
			creds, err := provider.Retrieve(ctx)
			if cause := unread.Load(); err != nil && cause != nil && *cause != nil {
				err = *cause
			}
			return creds, err
		}, func(e *Error) { containerError(e, variable) }), nil
	}
	return s, nil
}

// noNull is a client whose JSON answers are never null, over which the SDK's provider
// would panic: what says something else is no object either, and an error as such.
type noNull struct{ aws.HTTPClient }

// Do implements aws.HTTPClient.
func (c noNull) Do(r *http.Request) (*http.Response, error) {
	resp, err := c.HTTPClient.Do(r)
	if err != nil || resp.StatusCode >= http.StatusMultipleChoices && resp.Header.Get("Content-Type") != "application/json" {
		return resp, err
	}
	body := bufio.NewReader(resp.Body)
	for first, err := body.ReadByte(); err == nil; first, err = body.ReadByte() {
		if !strings.ContainsRune(" \t\r\n", rune(first)) {
			_ = body.UnreadByte()
			break
		}
	}
	read := io.Reader(body)
	switch start, _ := body.Peek(len("null")); {
	case string(start) != "null":
	case resp.StatusCode >= http.StatusMultipleChoices:
		read = strings.NewReader("{}") // an error without words
	default:
		read = strings.NewReader(`"null"`)
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{read, resp.Body}
	return resp, nil
}

// instanceSource asks the instance metadata of EC2 for the keys of its role.
func (l *look) instanceSource() (*source, error) {
	address, from := l.metadataEndpoint()
	if from != "" {
		op := fmt.Sprintf("%s %q", redact.OneLine(from), redact.URL(redact.Clip(address)))
		if err := wrongAddress(op, transport.CheckMetadataEndpoint(address)); err != nil {
			return nil, err
		}
	}
	s := &source{kind: sourceEC2, asks: true, detail: redact.URL(address), disabledBy: l.noMetadata()}
	s.kinds = []aws.CredentialSource{aws.CredentialSourceIMDS}
	facts := instance{endpoint: redact.URL(address), disabledBy: l.noMetadata()}
	if l.namedBy != "" {
		facts.named = l.profile
	}
	s.open = func(k *kit) (fetch, error) {
		facts.lookedAt = s.lookedAt
		var o ec2rolecreds.Options
		if fn := k.opts.EC2RoleCredentialOptions; fn != nil {
			fn(&o)
		}
		return s.classified(func(ctx context.Context) (aws.Credentials, error) {
			client := &metadataClient{ask: k.metadata}
			creds, err := ec2rolecreds.New(func(once *ec2rolecreds.Options) {
				if *once = o; once.Client == nil {
					once.Client = client
				}
			}).Retrieve(ctx)
			if err == nil && !client.expiry.IsZero() {
				creds.Expires = client.expiry
			}
			return creds, err
		}, func(e *Error) { metadataError(e, facts) }), nil
	}
	return s, nil
}

// containerVariable is the variable that names the container's endpoint, "" if
// none is set.
func containerVariable() string {
	if value, name := firstEnv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"); value != "" {
		return name
	}
	return ""
}

// checkContainer holds the endpoint against the rules, where it decides.
func checkContainer(variable, value string) error {
	check := transport.CheckContainerURI
	if strings.HasSuffix(variable, "RELATIVE_URI") {
		check = transport.CheckContainerPath
	}
	return wrongAddress(fmt.Sprintf("%s %q", variable, redact.URL(redact.Clip(value))), check(value))
}
