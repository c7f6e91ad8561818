package awsauth

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/chaoxiaodi/awsauth/internal/redact"
	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// fromProfile makes the source at the end of a profile's way, unless there are
// faults on it.
func (l *look) fromProfile(w way, option bool, f faults) (*source, faults) {
	if len(f) > 0 {
		return nil, f
	}
	s, err := l.sourceOf(w)
	if err != nil {
		return nil, faults{err}
	}
	s.profile, s.profiles, s.option = w.profiles[0], w.profiles, option
	s.roles, s.passed = w.roles, w.passed
	if w.holder != s.profile || l.get(w.holder, "source_profile") == w.holder {
		s.detail += " of source profile " + redact.OneLine(w.holder)
	}
	s.detail += l.exposed(w)
	for _, role := range w.roles {
		s.claims = append(s.claims, claim{partition: role.arn.partition, what: fmt.Sprintf("role %s of %s", role.arn, s), role: true})
	}
	var way []aws.CredentialSource
	for range w.profiles[1:] {
		way = append(way, aws.CredentialSourceProfileSourceProfile)
	}
	if len(w.profiles) == 1 && l.get(w.holder, "source_profile") == w.holder {
		way = append(way, aws.CredentialSourceProfileSourceProfile) // its own
	}
	switch w.kind {
	case sourceEnvironment, sourceContainer, sourceEC2: // of credential_source
		way = append(way, aws.CredentialSourceProfileNamedProvider)
	}
	s.kinds = append(way, s.kinds...)
	return s, nil
}

// exposed says that others can read the file of the keys, "" where they cannot or
// where the keys come from elsewhere.
func (l *look) exposed(w way) string {
	if w.kind != sourceProfileKeys && w.kind != sourceConfigKeys {
		return ""
	}
	path := l.keyPair(w.holder).AccessKeyID.Path
	for _, p := range l.files.Others(w.holder) {
		if p.Kind == sharedfile.Permissions && p.Path == path {
			return "; " + p.What
		}
	}
	return ""
}

// sourceOf makes the source itself.
func (l *look) sourceOf(w way) (*source, error) {
	switch w.kind {
	case sourceWebIdentity:
		spec := l.webRole(l.get(w.holder, "role_arn"))
		spec.sessionName = l.get(w.holder, "role_session_name")
		s := l.webSource(spec, tokenSource{path: l.get(w.holder, "web_identity_token_file"), from: "web_identity_token_file"})
		s.kinds = []aws.CredentialSource{aws.CredentialSourceProfileSTSWebIDToken}
		return s, nil
	case sourceSSO, sourceSSOToken:
		return l.ssoSource(w)
	case sourceLogin:
		return l.loginSource(w)
	case sourceProcess:
		return l.processSource(w), nil
	case sourceContainer:
		if containerVariable() == "" {
			return nil, invalid(l.at(w.holder, "credential_source"), "profile %q takes its keys from the container, but neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor _FULL_URI is set", w.holder).
				mend("run it in a container with a role, or name another source")
		}
		return l.containerSource()
	case sourceEC2:
		return l.instanceSource()
	case sourceEnvironment:
		return l.environmentOf(w)
	}
	return l.profileKeySource(w), nil
}

// environmentOf are the environment's keys, for a profile whose credential_source
// they are.
func (l *look) environmentOf(w way) (*source, error) {
	if !l.env.Credentials.HasKeys() {
		return nil, invalid(l.at(w.holder, "credential_source"), "profile %q takes its keys from the environment, which has none", w.holder).
			mend("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	if err := unfitEnvironment(); err != nil {
		return nil, err
	}
	_, variable := firstEnv("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY")
	s := keySource(sourceEnvironment, l.env.Credentials, variable)
	s.kinds = []aws.CredentialSource{aws.CredentialSourceHTTP} // so the SDK reports it
	return s, nil
}
