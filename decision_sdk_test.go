package awsauth_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/chaoxiaodi/awsauth"
)

const maxSession = 12 * time.Hour

// asksNobody reports whether the calls of such a source end in the Cloud alone:
// they can be made.
func asksNobody(kinds []aws.CredentialSource) bool {
	for _, kind := range kinds {
		switch kind {
		case aws.CredentialSourceEnvVars, aws.CredentialSourceProfile, aws.CredentialSourceProfileSourceProfile, aws.CredentialSourceSTSAssumeRole:
		default:
			return false
		}
	}
	return true
}

// made is what a provider leads to: its kinds, and where no machine is asked, the
// keys and the calls.
func (c *cast) made(p aws.CredentialsProvider, err error) (d decided) {
	if err != nil {
		return decided{refusal: err.Error()}
	}
	kinds := p.(aws.CredentialProviderSource).ProviderSources()
	for _, kind := range kinds {
		d.kinds += fmt.Sprint(kind, " ")
	}
	if !asksNobody(kinds) {
		return d
	}
	c.ResetCalls()
	creds, err := p.Retrieve(context.Background())
	if err != nil {
		d.refusal = err.Error()
		return d
	}
	for _, call := range c.Calls() {
		key := call.AccessKeyID
		if strings.HasPrefix(key, "ASIA") {
			key = ""
		}
		d.roles = append(d.roles, call.Role+" "+key+" "+call.Params.Get("ExternalId"))
	}
	if d.roles == nil {
		d.keyID = creds.AccessKeyID
	}
	return d
}

// ours and theirs are what this package and the SDK make of a world.
func (c *cast) ours(w *world) decided {
	s, err := c.Try(awsauth.WithProfile(w.option))
	return c.made(s, err)
}

func (c *cast) theirs(w *world) decided {
	opts := []func(*config.LoadOptions) error{c.LoadOptions()}
	if w.option != "" {
		opts = append(opts, config.WithSharedConfigProfile(w.option))
	}
	cfg, err := config.LoadDefaultConfig(context.Background(), opts...)
	return c.made(cfg.Credentials, err)
}

// sdkDecision is a way in which we decide otherwise than the SDK, on purpose.
type sdkDecision struct {
	name, reason string
	explains     func(w *world, ours, theirs decided) bool
}

// weRefuse explains a refusal of ours with one of the texts, where the SDK accepts.
func weRefuse(texts ...string) func(*world, decided, decided) bool {
	return func(_ *world, ours, theirs decided) bool {
		return theirs.refusal == "" && slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(ours.refusal, text) })
	}
}

// theyRefuse explains a refusal of the SDK's with one of the texts, where we accept.
func theyRefuse(texts ...string) func(*world, decided, decided) bool {
	return func(_ *world, ours, theirs decided) bool {
		return ours.refusal == "" && slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(theirs.refusal, text) })
	}
}

// environmentDecides reports whether variables come before the files.
func (w *world) environmentDecides() bool {
	return w.option == "" && (w.env["AWS_ACCESS_KEY_ID"] != "" || w.env["AWS_WEB_IDENTITY_TOKEN_FILE"] != "")
}

// severalSources reports whether a profile has more than one source, so that their
// order decides.
func (w *world) severalSources(profile string) bool {
	n := 0
	for _, key := range []string{"credential_source", "web_identity_token_file", "login_session", "credential_process"} {
		if w.get(profile, key) != "" {
			n++
		}
	}
	if w.get(profile, "sso_session") != "" || w.get(profile, "sso_start_url") != "" {
		n++
	}
	for _, file := range []map[string]map[string]string{w.config, w.credentials} {
		if file[profile]["aws_access_key_id"] != "" {
			n++
		}
	}
	if source := w.get(profile, "source_profile"); source != "" && w.get(profile, "role_arn") != "" {
		n++
	}
	return n > 1
}

// decisionDifferences are all of them. None lets an identity be taken that is not
// written down.
func decisionDifferences() []sdkDecision {
	return []sdkDecision{
		{"a profile without credentials", "who names a profile means it; the SDK goes on to the container and the instance", weRefuse("has no credentials in")},
		{"half a pair in the environment", "half a key pair never falls through", weRefuse("is set but AWS_", "are not; set all three")},
		{"environment without keys", "credential_source = Environment without keys is refused in New; the SDK's first call fails, or it takes the profile's own keys", weRefuse("takes its keys from the environment, which has none")},
		{"container without an address", "credential_source = EcsContainer says who one is; the SDK takes the profile's own keys", weRefuse("takes its keys from the container, but")},
		{"role without a source", "nobody is named who assumes it; the SDK takes the container or the instance", weRefuse("nothing that says who assumes it", "has no credentials; add keys")},
		{"duration", "a duration that STS refuses is refused in New", weRefuse("duration_seconds", "lasts at most 1h")},
		{"region", "a region that does not exist is refused in New", weRefuse("no region of any partition")},
		{"circle", "the way of source profiles comes back; the SDK stops there where the profile has keys", weRefuse("in a circle")},
		{"keys of a source", "static keys of a source profile come before its role (AWS CLI)", func(w *world, ours, _ decided) bool {
			way := w.way()
			return ours.refusal == "" && slices.ContainsFunc(way[min(1, len(way)):], func(p string) bool {
				return w.get(p, "aws_access_key_id") != "" && w.get(p, "role_arn") != ""
			})
		}},
		{"unasked files", "what is wrong in a profile that does not decide is a warning; the SDK checks it all the same", func(w *world, ours, theirs decided) bool {
			return ours.refusal == "" && theirs.refusal != "" && w.environmentDecides()
		}},
		{"several sources refused", "the SDK refuses some pairs of sources in one profile; the AWS CLI takes them by their order", theyRefuse("only one credential type may be specified")},
		{"login as source", "the SDK finds no credentials in a source profile with login_session (S7)", func(w *world, ours, theirs decided) bool {
			return theyRefuse("failed to load assume role")(w, ours, theirs) && slices.ContainsFunc(w.way(), func(p string) bool { return w.get(p, "login_session") != "" })
		}},
		{"several sources", "the order inside a profile is the AWS CLI's: the SDK takes keys of either file first", func(w *world, ours, _ decided) bool {
			return ours.refusal == "" && slices.ContainsFunc(w.way(), w.severalSources)
		}},
		{"SSO of a source", "SSO comes before the keys of a source profile (AWS CLI), so what is wrong with it counts", func(w *world, ours, _ decided) bool {
			return strings.Contains(ours.refusal, "sso_") && slices.ContainsFunc(w.way(), w.severalSources)
		}},
	}
}

// checkDecision compares both, and names the row that explains a difference.
func checkDecision(t *testing.T, w world, used map[string]bool) {
	c := newDecisionCast(t)
	w.enter(c)
	ours, theirs := c.ours(&w), c.theirs(&w)
	if ours.equal(theirs) {
		return
	}
	c.checkOrder(&w, ours)
	for _, row := range decisionDifferences() {
		if row.explains(&w, ours, theirs) {
			used[row.name] = true
			return
		}
	}
	config, credentials := w.text()
	t.Errorf("not the same, and no row explains it\noption %q, environment %v\n%s---\n%s\nours:   %+v\ntheirs: %+v", w.option, w.env, config, credentials, ours, theirs)
}

// TestDecision compares a seeded table of worlds.
func TestDecision(t *testing.T) {
	used := map[string]bool{}
	random := rand.New(rand.NewPCG(9, 2026))
	for i := range 1500 {
		data := make([]byte, 64)
		for j := range data {
			data[j] = byte(random.IntN(256))
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) { checkDecision(t, newWorld(data), used) })
	}
	for _, row := range decisionDifferences() {
		if !used[row.name] {
			t.Errorf("the row %q is not needed", row.name)
		}
	}
}

// FuzzDecision looks for worlds that the table does not have.
func FuzzDecision(f *testing.F) {
	for i := range byte(16) {
		f.Add(slices.Repeat([]byte{i * 17, 5, 3, i}, 16))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkDecision(t, newWorld(data), map[string]bool{}) })
}
