package awsauth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// mark stands for what an option was given that is no secret in itself. The option as
// a value shows it no more than a secret.
const mark = "given-to-the-option"

// leaksOfSources are the cases of the options that say who a session is.
func leaksOfSources() map[string]func(*leak) {
	return map[string]func(*leak){
		"WithProfile": func(l *leak) {
			l.Files("[profile ops]\n"+lab.KeyLines, "")
			l.works(awsauth.WithProfile("ops"))
			l.Write("config", "[profile ops]\naws_access_key_id = $ID\naws_secret_access_key = "+l.secret("key with a blank", "abcdefgh ijklmnopqrst")+"\n")
			_ = l.show(awsauth.WithProfile("ops"))
			l.fails(awsauth.WithProfile("missing"))
		},
		"WithStaticCredentials": func(l *leak) {
			l.works(awsauth.WithStaticCredentials(l.Keys.AccessKeyID, l.Keys.SecretAccessKey, ""))
			l.secret("another", lab.SomeSecret)
			for _, keys := range [][3]string{
				{lab.SomeID, lab.SomeSecret, l.secret("token", "the-session-token")},
				{"", lab.SomeSecret, ""}, {lab.SomeSecret, lab.SomeID, ""}, {lab.SomeID, "", "the-session-token"}, {lab.SomeID, lab.SomeSecret + "\n", ""},
			} {
				l.fails(awsauth.WithStaticCredentials(keys[0], keys[1], keys[2]), awsauth.WithAccount(lab.Target))
			}
		},
		"WithCredentialsProvider": func(l *leak) {
			l.works(awsauth.WithCredentialsProvider(l.Keys.Provider()), awsauth.WithAccount(lab.Target))
			l.secret("another", lab.SomeSecret)
			l.fails(awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{SecretAccessKey: lab.SomeSecret}, errors.New("the row is stale")
			})))
			l.fails(awsauth.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{SecretAccessKey: lab.SomeSecret}, nil
			})))
		},
		"WithWebIdentity": func(l *leak) {
			text := l.secret("web identity token", l.WebIdentityToken(lab.Issuer, "repo:corp/app", time.Hour))
			opt := awsauth.WithWebIdentity(l.ARN(lab.Home, "role/base"), tokenFunc(func() ([]byte, error) { return []byte(text), nil }))
			l.works(opt)
			l.everyTrouble(func() { l.fails(opt) })
			l.Inject(awsauthtest.Fault{Kind: awsauthtest.Refuse, Status: http.StatusBadRequest, Code: "ValidationError", Message: "1 validation error detected: Value '" + text + "' at 'webIdentityToken' failed"})
			l.fails(opt)
			l.fails(awsauth.WithWebIdentity(l.ARN(lab.Home, "role/base"), tokenFunc(func() ([]byte, error) { return []byte(text), errors.New("the vault is sealed") })))
			l.fails(awsauth.WithWebIdentity(l.ARN(lab.Home, "role/base"), stscreds.IdentityTokenFile(filepath.Join(l.Dir, "missing"))))
		},
	}
}

// leaksOfProofs are the cases of the options by which somebody proves who they are.
func leaksOfProofs() map[string]func(*leak) {
	return map[string]func(*leak){
		"WithRolesAnywhere": func(l *leak) {
			w := workloadAt(l)
			opt := awsauth.WithRolesAnywhere(w.anchor, w.profile, w.role, w.certificate)
			l.works(opt)
			l.everyTrouble(func() { l.fails(opt) })
			l.secret("key", "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg")
			l.fails(awsauth.WithRolesAnywhere(w.anchor, w.profile, w.role, func(context.Context) (tls.Certificate, error) {
				return tls.Certificate{}, errors.New("no key in -----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n")
			}))
		},
		"WithMFA": func(l *leak) {
			device := l.Device()
			l.secret("secret key", l.Keys.SecretAccessKey)
			l.AddRole(awsauthtest.Role{ARN: l.ManageARN(lab.Target), Trust: []string{lab.Home}, RequireMFA: true})
			opts := []awsauth.Option{l.Static(), awsauth.WithMFA(device.Serial, device.Code), awsauth.WithAccount(lab.Target)}
			l.works(opts...)
			l.everyTrouble(func() { l.fails(opts...) })
			require.Contains(l.t, l.Spy.Kinds(), "TokenCode")
			opts[1] = awsauth.WithMFA(device.Serial, func(context.Context) (string, error) {
				return l.secret("typed", "correct horse battery"), nil
			})
			l.fails(opts...)
		},
	}
}

// leaksOfDisk are the cases of the disk cache.
func leaksOfDisk() map[string]func(*leak) {
	return map[string]func(*leak){
		"WithDiskCache": func(l *leak) {
			for range 2 {
				l.works(l.Static(), awsauth.WithDiskCache(filepath.Join(l.Dir, "cache")), awsauth.WithAccount(lab.Target))
			}
			entries, err := filepath.Glob(filepath.Join(l.Dir, "cache", "*.json"))
			require.NoError(l.t, err)
			require.NotEmpty(l.t, entries)
			for _, entry := range entries { // a damaged one is not repeated in the warning
				text, err := os.ReadFile(entry)
				require.NoError(l.t, err)
				require.NoError(l.t, os.WriteFile(entry, append(text[:len(text)/2:len(text)/2], "}}"...), 0o600))
			}
			l.works(l.Static(), awsauth.WithDiskCache(filepath.Join(l.Dir, "cache")), awsauth.WithAccount(lab.Target))
		},
		"WithDiskCacheKey": func(l *leak) {
			key := []byte(l.secret("key of the cache", "0123456789abcdef-the-key-of-disk"))
			dir := awsauth.WithDiskCache(filepath.Join(l.Dir, "cache"))
			for _, get := range []func(context.Context) ([]byte, error){
				func(context.Context) ([]byte, error) { return key, nil },
				func(context.Context) ([]byte, error) { return key[:31], nil },
				func(context.Context) ([]byte, error) { return key, errors.New("the keychain is locked") },
			} {
				_ = l.show(l.Static(), dir, awsauth.WithDiskCacheKey(get), awsauth.WithAccount(lab.Target))
			}
			l.secret("part of the key", string(key[:31]))
			l.fails(l.Static(), awsauth.WithDiskCacheKey(func(context.Context) ([]byte, error) { return key, nil }))
		},
	}
}

// leaksOfOptions are the cases of the other options that only New accepts.
func leaksOfOptions() map[string]func(*leak) {
	return map[string]func(*leak){
		"WithLoadOptions": func(l *leak) {
			token := l.secret("bearer token", "bearer-token-of-ana")
			l.works(l.Static(), awsauth.WithAccount(lab.Target), awsauth.WithLoadOptions(
				config.WithBearerAuthTokenProvider(bearer.StaticTokenProvider{Token: bearer.Token{Value: token}}), config.WithClientLogMode(lab.Loud)))
			l.fails(awsauth.WithLoadOptions(func(*config.LoadOptions) error { return errors.New("no such option") }))
		},
		"WithSTSEndpoint": func(l *leak) {
			l.secret("password", "pass-of-the-proxy")
			for _, url := range []string{
				"https://ana:pass-of-the-proxy@sts.example.com", "https://sts.example.com/?sig=pass-of-the-proxy", "https://sts.example.com/%zz?pass-of-the-proxy",
				"https://127.0.0.1:1/#pass-of-the-proxy", "ftp://ana:pass-of-the-proxy@sts.example.com",
			} {
				l.fails(l.Static(), awsauth.WithSTSEndpoint(url), awsauth.WithAccount(lab.Target))
			}
		},
		"WithLogger": func(l *leak) {
			awsauth.WithLogger(nil)
			l.everyTrouble(func() {
				l.fails(l.Static(), awsauth.WithAccount(lab.Target), awsauth.WithLoadOptions(config.WithClientLogMode(lab.Loud)))
			})
		},
		"WithAllowedAccounts": func(l *leak) {
			l.paper.Print(awsauth.WithAllowedAccounts(l.secret("value", mark)))
			l.fails(l.Static(), awsauth.WithAllowedAccounts(lab.Target))
		},
		"WithTemporaryOnly": func(l *leak) { l.fails(l.Static(), awsauth.WithTemporaryOnly()) },
		"WithRegion":        func(l *leak) { l.paper.Print(awsauth.WithRegion(l.secret("value", mark))) },
		"WithPartition": func(l *leak) {
			l.paper.Print(awsauth.WithPartition(awsauth.Partition(l.secret("value", mark))))
			l.fails(l.Static(), awsauth.WithPartition(awsauth.China), awsauth.WithAccount(lab.Target))
		},
	}
}

// workloadAt is a machine outside AWS, in the case's place.
func workloadAt(l *leak) *workload {
	w := &workload{Place: l.Place, lifetime: time.Hour, role: l.ARN(lab.Home, "role/workload")}
	l.AddRole(awsauthtest.Role{ARN: w.role, Trust: []string{"rolesanywhere.amazonaws.com"}})
	w.anchor = l.AddTrustAnchor(awsauthtest.TrustAnchor{Account: lab.Home, Region: "us-east-1"})
	w.profile = l.AddAnywhereProfile(awsauthtest.AnywhereProfile{Account: lab.Home, Region: "us-east-1", RoleARNs: []string{w.role}})
	return w
}

// pemOf are the certificate and the private key of a machine, as files hold them.
func pemOf(l *leak, c tls.Certificate) (cert, key []byte) {
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	require.NoError(l.t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// leaksOfRoleOptions are the cases of the other options. What they are given stands in
// CloudTrail and may be in an error; the option itself prints nothing.
func leaksOfRoleOptions() map[string]func(*leak) {
	given := func(l *leak) string { return l.secret("value", mark) }
	tags := func(l *leak) map[string]string { return map[string]string{"team": given(l)} }
	return map[string]func(*leak){
		"WithAccount":        func(l *leak) { l.paper.Print(awsauth.WithAccount(given(l))) },
		"WithRole":           func(l *leak) { l.paper.Print(awsauth.WithRole(given(l))) },
		"WithRoleARN":        func(l *leak) { l.paper.Print(awsauth.WithRoleARN(given(l))) },
		"WithSessionName":    func(l *leak) { l.paper.Print(awsauth.WithSessionName(given(l))) },
		"WithSourceIdentity": func(l *leak) { l.paper.Print(awsauth.WithSourceIdentity(given(l))) },
		"WithPolicyARNs":     func(l *leak) { l.paper.Print(awsauth.WithPolicyARNs(given(l))) },
		"WithTags":           func(l *leak) { l.paper.Print(awsauth.WithTags(tags(l))) },
		"WithTransitiveTags": func(l *leak) { l.paper.Print(awsauth.WithTransitiveTags(tags(l))) },
		"WithPolicy":         func(l *leak) { l.paper.Print(awsauth.WithPolicy(given(l))) },
		"WithExternalID": func(l *leak) {
			opts := []awsauth.Option{l.Static(), awsauth.WithAccount(lab.Target), awsauth.WithExternalID(given(l))}
			l.works(opts...)
			l.everyTrouble(func() { l.fails(opts...) })
		},
		"WithDuration": func(l *leak) {
			l.fails(l.Static(), awsauth.WithAccount(lab.Target), awsauth.WithDuration(time.Second))
		},
		"WithConcurrency": func(l *leak) { l.print(awsauth.WithConcurrency(-1)) },
		"WithProgress": func(l *leak) {
			s := l.Open(l.Static(), l.log())
			l.everyTrouble(func() {
				_ = s.ForEachAccount(l.t.Context(), []string{lab.Target}, lab.Enter, awsauth.WithProgress(func(p awsauth.Progress) { l.print(p, p.Err) }))
			})
		},
	}
}
