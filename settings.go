package awsauth

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
)

// settings is what the options of one New say, before any of it is checked.
type settings struct {
	profile       string
	keys          keyOption
	provider      providerOption
	web           webOption
	anywhere      anywhereOption
	mfa           mfaOption
	disk          diskOption
	allowed       allowedOption
	temporaryOnly bool
	region        string
	partition     Partition
	stsEndpoint   string
	load          []func(*config.LoadOptions) error
	logger        *slog.Logger
	role          roleSettings
}

// keyOption is what WithStaticCredentials was given.
type keyOption struct{ id, secret, token string }

func (k keyOption) given() bool { return k != keyOption{} }

// providerOption is what WithCredentialsProvider was given. A nil provider was
// given too, and is a fault.
type providerOption struct {
	given  bool
	option string // by which it came
	aws.CredentialsProvider
}

// webOption is what WithWebIdentity was given.
type webOption struct {
	given   bool
	roleARN string
	token   stscreds.IdentityTokenRetriever
}

// anywhereOption is what WithRolesAnywhere was given.
type anywhereOption struct {
	given                 bool
	anchor, profile, role string
	certificate           func(context.Context) (tls.Certificate, error)
}

// mfaOption is what WithMFA was given.
type mfaOption struct {
	given  bool
	serial string
	code   func(context.Context) (string, error)
}

// allowedOption is what WithAllowedAccounts was given.
type allowedOption struct{ ids []string }

// diskOption is what WithDiskCache and WithDiskCacheKey were given.
type diskOption struct {
	given, keyed bool
	dir          string
	key          func(context.Context) ([]byte, error)
}

// roleSettings is what the role options say.
type roleSettings struct {
	account, name, arn string
	sessionName        string
	duration           time.Duration
	externalID         string
	sourceIdentity     string
	tags, transitive   map[string]string
	policy             string
	policyARNs         []string
}

// fleetSettings is what the options of one ForEachAccount say.
type fleetSettings struct {
	role        roleSettings
	concurrency int
	progress    func(Progress)
}

// Progress is the news after one account of ForEachAccount.
type Progress struct {
	Done, Total int    // accounts done so far, and to do in all
	Account     string // the one that is done, as it stands in the list
	Err         error  // an *AccountError, whose text begins with the account, or nil
}
