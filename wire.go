package awsauth

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Retries of an STS call. There is no budget shared between calls: one budget
// for a thousand sessions is spent in the first second of throttling.
const (
	// All attempts fit into refreshTimeout, so that the last answer is known.
	stsAttempts   = 8
	stsMaxBackoff = 4 * time.Second

	// A refresh that nobody waits for is tried again later anyway.
	backgroundAttempts = 2
)

// wire is how a session and all those assumed from it reach AWS: one HTTP
// connection pool, one STS endpoint, one way to retry.
type wire struct {
	endpoint   string         // WithSTSEndpoint
	logger     logging.Logger // for what the SDK's providers say
	silent     bool           // it discards
	asks       bool           // a role of the profile needs an MFA code; set by hook
	custom     aws.HTTPClient
	http       aws.HTTPClient // the pool; set by adopt
	baseURL    *string        // AWS_ENDPOINT_URL and the like; set by adopt
	newRetryer func() aws.Retryer
	metadata   func() *imds.Client // made when first needed; set by adopt
	pacer      pacer               // of the profile's own roles

	own     *Session // the base session, and
	region  string   // where its profile's roles are assumed; set once, before any call
	lastHop string   // ARN of the last of them

	durations map[string]time.Duration // of those roles, by ARN, where the profile says it
	assumed   atomic.Pointer[assumedRole]

	instanceKeys atomic.Pointer[time.Time] // when the instance's last credentials expire
}

func newWire(s *settings) *wire {
	return &wire{endpoint: s.stsEndpoint, logger: sdkLogger{s.logger}, silent: s.silent}
}

// harmlessLogs are the SDK's log modes that show no request: the others would
// write session tokens, and what STS answers, into the log.
const harmlessLogs = aws.LogRetries | aws.LogDeprecatedUsage

// sdkLogger passes what the SDK's providers say on to the session's logger.
type sdkLogger struct{ *slog.Logger }

// Logf implements the SDK's logging.Logger.
func (l sdkLogger) Logf(level logging.Classification, format string, args ...any) {
	to := slog.LevelDebug
	if level == logging.Warn {
		to = slog.LevelWarn
	}
	if ctx := context.Background(); l.Enabled(ctx, to) {
		l.Log(ctx, to, "awsauth: SDK: "+oneLine(withoutSecretValues(fmt.Sprintf(format, args...))))
	}
}

// hook makes the providers that LoadDefaultConfig is about to build go through
// this wire.
func (w *wire) hook(o *config.LoadOptions) {
	plain := append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], boundCall)
	switch o.HTTPClient.(type) {
	case nil, *awshttp.BuildableClient:
	default:
		// The SDK can add a CA bundle (AWS_CA_BUNDLE) to no client but its own
		// and fails. So it gets none, and what its providers send leaves here.
		w.custom, o.HTTPClient = o.HTTPClient, nil
		o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], sendThrough(w.custom))
	}
	if o.Logger == nil {
		o.Logger = w.logger
	}
	if o.ClientLogMode != nil {
		quiet := *o.ClientLogMode & harmlessLogs
		o.ClientLogMode = &quiet
	}
	// The SDK's caches would report an expiry that is earlier by their window.
	o.CredentialsCacheOptions = func(co *aws.CredentialsCacheOptions) { *co = aws.CredentialsCacheOptions{} }
	o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], boundCall)
	o.UseEC2IMDSRegion = nil // locate asks, for a bounded time
	endpoint := o.EndpointCredentialOptions
	o.EndpointCredentialOptions = func(eo *endpointcreds.Options) {
		eo.APIOptions = plain // not through the caller's client: its proxy is not to see the container's token
		if endpoint != nil {
			endpoint(eo)
		}
	}
	assume, web, ec2 := o.AssumeRoleCredentialOptions, o.WebIdentityRoleCredentialOptions, o.EC2RoleCredentialOptions
	o.AssumeRoleCredentialOptions = func(ro *stscreds.AssumeRoleOptions) {
		if assume != nil {
			assume(ro)
		}
		w.hookRole(ro)
	}
	o.WebIdentityRoleCredentialOptions = func(wo *stscreds.WebIdentityRoleOptions) {
		if web != nil {
			web(wo)
		}
		if wo.Client != nil { // the SDK calls this twice, once without a client
			wo.Client = webIdentityClient{wo.Client, w}
		}
		if wo.RoleSessionName == "" {
			wo.RoleSessionName = defaultSessionName()
		}
	}
	o.EC2RoleCredentialOptions = func(eo *ec2rolecreds.Options) {
		if ec2 != nil {
			ec2(eo)
		}
		if eo.Client == nil {
			eo.Client = metadataClient{w}
		}
	}
}

// setDuration notes how long a profile wants its role's credentials to last.
func (w *wire) setDuration(arn string, d time.Duration) {
	if w.durations == nil {
		w.durations = map[string]time.Duration{}
	}
	w.durations[arn] = d
}

// hookRole gives a profile's role what a role of WithRoleARN gets.
func (w *wire) hookRole(ro *stscreds.AssumeRoleOptions) {
	if ro.Client != nil { // the SDK calls this twice, once without a client
		ro.Client = hopClient{ro.Client, w}
	}
	if ro.SerialNumber != nil {
		w.asks = true
	}
	if ro.RoleSessionName == "" {
		ro.RoleSessionName = defaultSessionName()
	}
	if ro.Duration == 0 {
		ro.Duration = defaultDuration
	}
}

// sendThrough makes a client of the SDK send its requests with client.
func sendThrough(client aws.HTTPClient) func(*middleware.Stack) error {
	send := smithyhttp.NewClientHandlerWithOptions(client)
	return func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("awsauth.send",
			func(ctx context.Context, in middleware.DeserializeInput, _ middleware.DeserializeHandler) (
				out middleware.DeserializeOutput, metadata middleware.Metadata, err error,
			) {
				out.RawResponse, metadata, err = send.Handle(ctx, in.Request)
				return out, metadata, err
			}), middleware.After)
	}
}

// boundCall ends a call of the SDK's providers after refreshTimeout. Their
// cache takes the deadline off the context that it passes on: one call without
// an answer would be waited for by all later ones, for good.
func boundCall(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("awsauth.bound",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
			middleware.InitializeOutput, middleware.Metadata, error,
		) {
			ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
			defer cancel()
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
}

// adopt takes over what the SDK loaded.
func (w *wire) adopt(cfg *aws.Config, o config.LoadOptions) {
	forMetadata := *cfg
	if o.HTTPClient == nil {
		forMetadata.HTTPClient = nil // its own short timeouts, not a pool for STS
	}
	cfg.APIOptions = o.APIOptions
	if o.Logger == nil && w.silent {
		cfg.Logger = logging.NewStandardLogger(os.Stderr) // as the SDK has it, for the caller's own clients
	}
	if o.ClientLogMode != nil {
		cfg.ClientLogMode = *o.ClientLogMode // of the caller's own clients it is the caller's choice
	}
	forMetadata.APIOptions = o.APIOptions
	if w.custom != nil {
		cfg.HTTPClient, forMetadata.HTTPClient = w.custom, w.custom
	} else {
		b, _ := cfg.HTTPClient.(*awshttp.BuildableClient) // with the CA bundle, if there is one
		cfg.HTTPClient = newPool(b, o.HTTPClient != nil, defaultsMode(cfg))
	}
	w.http, w.baseURL = cfg.HTTPClient, cfg.BaseEndpoint
	w.metadata = sync.OnceValue(func() *imds.Client {
		// The client's own retryer serves to get the token alone. Tried once, it
		// leaves time for the question itself, by IMDSv1: in a container with a
		// hop limit of 1 the token never comes.
		return imds.NewFromConfig(forMetadata, func(o *imds.Options) { o.Retryer = aws.NopRetryer{} })
	})
	w.newRetryer = retryerFor(cfg)
}

// retryerFor is the user's choice of retryer, or ours.
func retryerFor(cfg *aws.Config) func() aws.Retryer {
	if cfg.Retryer != nil {
		return cfg.Retryer
	}
	attempts := cfg.RetryMaxAttempts
	if attempts == 0 {
		attempts = stsAttempts
	}
	standard := func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = stsMaxBackoff
		o.RateLimiter = ratelimit.None
		o.Retryables = append(o.Retryables, retry.RetryableErrorCode{
			Codes: map[string]struct{}{"IDPCommunicationError": {}},
		})
	}
	if cfg.RetryMode == aws.RetryModeAdaptive {
		return func() aws.Retryer {
			return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
				o.StandardOptions = append(o.StandardOptions, standard)
			})
		}
	}
	// Without a budget it keeps nothing between calls: one serves all.
	one := sync.OnceValue(func() aws.Retryer { return retry.NewStandard(standard) })
	return one
}

// options are those of every STS call: where it goes and how it is retried.
func (w *wire) options(ctx context.Context, region string, retryer aws.Retryer, pace *pacer) func(*sts.Options) {
	background := inBackground(ctx)
	return func(o *sts.Options) {
		o.Region = stsRegion(region)
		if background {
			retryer = retry.AddWithMaxAttempts(retryer, backgroundAttempts)
		}
		o.Retryer = pace.of(retryer)
		o.HTTPClient = w.http
		o.ClientLogMode &= harmlessLogs
		o.Logger = w.logger
		switch {
		case w.endpoint != "":
			o.BaseEndpoint = &w.endpoint
		case o.BaseEndpoint == nil:
			o.BaseEndpoint = w.baseURL
		}
	}
}

// hopClient assumes a role that a profile names.
type hopClient struct {
	sts  stscreds.AssumeRoleAPIClient
	wire *wire
}

func (c hopClient) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, opts ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	opts = append([]func(*sts.Options){c.wire.options(ctx, c.wire.region, c.wire.newRetryer(), &c.wire.pacer), keepCredentials}, opts...)
	if d := c.wire.durations[aws.ToString(in.RoleArn)]; d > 0 {
		in.DurationSeconds = aws.Int32(int32(d / time.Second)) // the SDK drops what is 15 minutes or less
	}
	if client, ok := c.sts.(*sts.Client); ok && c.wire.asks {
		// First, what a person may be asked for: the call itself is as short as any.
		creds, err := client.Options().Credentials.Retrieve(ctx)
		if err != nil {
			return nil, c.wire.own.sourceError(err)
		}
		opts = append(opts, func(o *sts.Options) { o.Credentials = credentials.StaticCredentialsProvider{Value: creds} })
	}
	call := hopCall(in, c.wire.region)
	out, err := c.sts.AssumeRole(ctx, in, opts...)
	if err != nil {
		return nil, c.wire.own.classify(err, call)
	}
	if aws.ToString(in.RoleArn) == c.wire.lastHop {
		c.wire.assumed.Store(newAssumedRole(out.AssumedRoleUser))
	}
	return out, nil
}

// keepCredentials lets all attempts of one call be signed with the same keys: the
// SDK would assume the role before once for each.
func keepCredentials(o *sts.Options) {
	if o.Credentials != nil {
		o.Credentials = aws.NewCredentialsCache(o.Credentials)
	}
}

// webIdentityClient trades a web identity token for a role.
type webIdentityClient struct {
	sts  stscreds.AssumeRoleWithWebIdentityAPIClient
	wire *wire
}

func (c webIdentityClient) AssumeRoleWithWebIdentity(ctx context.Context, in *sts.AssumeRoleWithWebIdentityInput, opts ...func(*sts.Options)) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	opts = append([]func(*sts.Options){c.wire.options(ctx, c.wire.region, c.wire.newRetryer(), &c.wire.pacer)}, opts...)
	call := stsCall{op: "assume role", target: aws.ToString(in.RoleArn), region: c.wire.region, web: true, started: time.Now()}
	out, err := c.sts.AssumeRoleWithWebIdentity(ctx, in, opts...)
	if err != nil {
		return nil, c.wire.own.classify(err, call)
	}
	if aws.ToString(in.RoleArn) == c.wire.lastHop {
		c.wire.assumed.Store(newAssumedRole(out.AssumedRoleUser))
	}
	return out, nil
}
