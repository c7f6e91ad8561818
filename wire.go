package awsauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/chaoxiaodi/awsauth/internal/pace"
	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/refresh"
)

// backgroundAttempts is how often a call is tried that nobody waits for: it comes
// again later anyway.
const backgroundAttempts = 2

// wire is how a session and all those assumed from it reach STS: one client on
// one connection pool, one address, one way to retry. Each call says who signs it.
type wire struct {
	client     func() *sts.Client // made when first needed
	endpoint   endpoint
	newRetryer func() aws.Retryer
	logger     logging.Logger // of the SDK's
	log        *slog.Logger
	unsigned   pace.Pacer // of the calls that carry a token instead of a signature
}

// harmlessLogs are the SDK's log modes that show no request: the others would
// write session tokens, and what STS answers, into the log.
const harmlessLogs = aws.LogRetries | aws.LogDeprecatedUsage

// newWire makes the family's wire of the configuration that was loaded for it, and
// of own, the client for the library's own calls.
func newWire(cfg aws.Config, own aws.HTTPClient, at endpoint, newRetryer func() aws.Retryer, logger logging.Logger, log *slog.Logger) *wire {
	cfg.HTTPClient = own
	cfg.Logger, cfg.ClientLogMode = logger, cfg.ClientLogMode&harmlessLogs // the signer keeps those that the client is made with
	return &wire{
		client:     sync.OnceValue(func() *sts.Client { return sts.NewFromConfig(cfg) }),
		endpoint:   at,
		newRetryer: newRetryer,
		logger:     logger,
		log:        log,
	}
}

// retryerFor is the caller's choice of retryer, or ours: without a budget, since
// one for a thousand sessions is spent in the first second of throttling.
func retryerFor(cfg *aws.Config) func() aws.Retryer {
	one := pace.NewRetryer(pace.RetryerOptions{Attempts: cfg.RetryMaxAttempts})
	if cfg.Retryer != nil {
		return func() aws.Retryer {
			if r := cfg.Retryer(); !isNil(r) {
				return r
			}
			return one // as the SDK's clients take their own
		}
	}
	if cfg.RetryMode == aws.RetryModeAdaptive {
		return func() aws.Retryer {
			return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
				o.StandardOptions = append(o.StandardOptions, func(so *retry.StandardOptions) { so.MaxAttempts = cfg.RetryMaxAttempts }) // 0: the SDK's number
			})
		}
	}
	return func() aws.Retryer { return one }
}

// options are those of every STS call: who signs it, where it goes, how it is
// retried and at whose pace. A nil signer signs nothing.
func (w *wire) options(ctx context.Context, p *place, by aws.CredentialsProvider, retryer aws.Retryer, pacer *pace.Pacer, call stsCall) func(*sts.Options) {
	paced := w.paced(ctx, call)
	return func(o *sts.Options) {
		o.Region = w.signedFor(p)
		o.Credentials = by
		o.Retryer = pacer.Of(retryer, paced)
		w.redirect(o)
	}
}

// paced is what the pace has to know of a call that a refresh makes in ctx.
func (w *wire) paced(ctx context.Context, call stsCall) pace.Call {
	tell := throttled(w.log, call)
	c := pace.Call{
		Once:   call.mfaSerial != "",
		Waited: func() bool { return refresh.Waited(ctx) },
		Hold:   func() func() { return refresh.Hold(ctx) },
		Failed: func(err *pace.Error) {
			e := soFar(err, call)
			refresh.Note(ctx, e)
			tell(e)
		},
	}
	if refresh.Background(ctx) {
		c.Attempts = backgroundAttempts
	}
	return c
}

// throttled tells once of a call of a refresh that its service throttles. What is
// behind it in the queue of the same caller is throttled, too.
func throttled(log *slog.Logger, call stsCall) func(error) {
	told := false
	return func(err error) {
		if told || !errors.Is(err, Throttled) {
			return
		}
		told = true
		attrs := []any{"host", call.host}
		switch {
		case call.mfaSerial != "" && call.op == startMFA:
			attrs = append(attrs, "mfa", call.mfaSerial)
		case call.target != "":
			attrs = append(attrs, "role", call.target)
		}
		log.Info("awsauth: a call is throttled, trying again more slowly", attrs...)
	}
}

// forSTS makes the STS clients of a session's Config go where the session itself
// does: to the chosen address, and from a region without an STS of its own to the
// partition's default.
func (w *wire) forSTS(p *place) func(string, any) {
	return func(_ string, options any) {
		o, ok := options.(*sts.Options)
		if !ok {
			return
		}
		if o.Region == p.region {
			o.Region = w.signedFor(p)
		}
		w.redirect(o)
	}
}

// redirect sends an STS client to the chosen address, if there is one, and has it
// sign for the region that the address names. The SDK refuses an address together
// with FIPS or dual stack, and would ask an older resolver of the caller's first.
func (w *wire) redirect(o *sts.Options) {
	if w.endpoint.url == "" {
		return
	}
	if region := w.endpoint.region(); region != "" {
		o.Region = region
	}
	o.BaseEndpoint = &w.endpoint.url
	o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateDisabled
	o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateDisabled
	//lint:ignore SA1019 an older resolver of the caller's is still obeyed
	o.EndpointResolver = nil
}

// signedFor is the region that an STS call of a session in p goes to and is
// signed for: the one that a chosen address names, else the session's own. STS
// has no host for a pseudo region, or for one that is not AWS's: there it is the
// partition's default.
func (w *wire) signedFor(p *place) string {
	if region := w.endpoint.region(); region != "" {
		return region
	}
	if in, ok := PartitionOf(p.region); !ok || p.region == in.pseudoRegion() {
		return p.partition.defaultRegion()
	}
	return p.region
}

// host is the host of STS that the calls of a session in p go to: what an older
// resolver of the caller's says, or else what the SDK makes of region, FIPS, dual
// stack and the chosen address.
func (w *wire) host(p *place) string {
	if w.endpoint.url != "" {
		return w.endpoint.host()
	}
	o := w.client().Options()
	region := w.signedFor(p)
	//lint:ignore SA1019 an older resolver of the caller's is still obeyed
	if older := o.EndpointResolver; older != nil {
		if at, err := older.ResolveEndpoint(region, o.EndpointOptions); err == nil {
			return hostOf(at.URL)
		}
	}
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(context.Background(), sts.EndpointParameters{
		Region:       &region,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	if err != nil {
		return "STS in " + region
	}
	return endpoint.URI.Host
}

// sdkLogger passes what the SDK says on to the session's logger.
type sdkLogger struct{ *slog.Logger }

// Logf implements the SDK's logging.Logger.
func (l sdkLogger) Logf(level logging.Classification, format string, args ...any) {
	to := slog.LevelDebug
	if level == logging.Warn {
		to = slog.LevelWarn
	}
	if ctx := context.Background(); l.Enabled(ctx, to) {
		l.Log(ctx, to, "awsauth: SDK: "+redact.Message(fmt.Sprintf(format, args...)))
	}
}
