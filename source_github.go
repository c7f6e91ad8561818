package awsauth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/transport"
)

// GitHubActionsToken gets the OpenID Connect token of the GitHub Actions job that the
// program runs in, for WithWebIdentity:
//
//	awsauth.WithWebIdentity("arn:aws:iam::123456789012:role/deploy", awsauth.GitHubActionsToken(""))
//
// The job needs the permission id-token: write. audience is whom the token is for, as
// the role's trust policy names it; "" is that of the role's partition:
// sts.amazonaws.com, in China sts.amazonaws.com.cn. A token is asked for anew at each
// refresh, from the runner, and never kept. Outside of a workflow, or without the
// permission, Retrieve fails with NoCredentials and says so.
//
// See https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments/about-security-hardening-with-openid-connect
func GitHubActionsToken(audience string) stscreds.IdentityTokenRetriever {
	return githubToken{audience}
}

type githubToken struct{ audience string }

// Bounds of asking for a token. It is asked for several times, as runners answer 5xx now
// and then.
const (
	githubTimeout = 20 * time.Second
	githubTries   = 3
	githubAnswer  = 64 << 10 // bytes of an answer
)

// GetIdentityToken implements stscreds.IdentityTokenRetriever.
func (g githubToken) GetIdentityToken() ([]byte, error) {
	address, key := os.Getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), os.Getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	switch {
	case os.Getenv("GITHUB_ACTIONS") == "" && address == "":
		return nil, errors.New("this is no GitHub Actions job (GITHUB_ACTIONS is not set)")
	case address == "":
		return nil, errors.New("the GitHub Actions job may not ask for a token (ACTIONS_ID_TOKEN_REQUEST_URL is not set); give it permissions: id-token: write")
	case key == "":
		return nil, errors.New("the GitHub Actions job may not ask for a token (ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set); give it permissions: id-token: write")
	case unfit(key) != "":
		return nil, fmt.Errorf("ACTIONS_ID_TOKEN_REQUEST_TOKEN holds %s", unfit(key))
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("ACTIONS_ID_TOKEN_REQUEST_URL is not a URL")
	}
	if err := transport.CheckEndpoint((&url.URL{Scheme: u.Scheme, Host: u.Host}).String()); err != nil {
		return nil, fmt.Errorf("ACTIONS_ID_TOKEN_REQUEST_URL: %w", err)
	}
	query := u.Query()
	query.Set("audience", cmp.Or(g.audience, AWS.tokenAudience()))
	u.RawQuery = query.Encode()
	ctx, cancel := context.WithTimeout(context.Background(), githubTimeout)
	defer cancel()
	for try := 1; ; try++ {
		token, again, err := askRunner(ctx, u.String(), key)
		if err == nil || !again || try == githubTries {
			return token, err
		}
		pause := time.NewTimer(time.Duration(try) * 500 * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
		pause.Stop()
	}
}

// askRunner asks once, and says whether another try is of use.
func askRunner(ctx context.Context, address, key string) (token []byte, again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, false, redact.Error(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Accept", "application/json")
	response, err := transport.Own(http.DefaultClient).Do(request)
	if err != nil {
		return nil, ctx.Err() == nil, fmt.Errorf("no answer from %s: %w", request.URL.Host, redact.Error(err))
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, githubAnswer))
	if err != nil {
		return nil, true, fmt.Errorf("no answer from %s: %w", request.URL.Host, redact.Error(err))
	}
	if response.StatusCode != http.StatusOK {
		return nil, response.StatusCode >= http.StatusInternalServerError, fmt.Errorf("%s gives no token (HTTP %d)", request.URL.Host, response.StatusCode)
	}
	var answer struct{ Value string }
	if json.Unmarshal(text, &answer) != nil || answer.Value == "" {
		return nil, false, fmt.Errorf("what %s answered holds no token", request.URL.Host)
	}
	return []byte(answer.Value), false, nil
}

// tokenAudience is whom a web identity token for a role of p is for by default.
func (p Partition) tokenAudience() string {
	switch p {
	case China:
		return "sts.amazonaws.com.cn"
	case EUSovereign:
		return "sts.amazonaws.eu"
	}
	return "sts.amazonaws.com"
}
