package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/chaoxiaodi/awsauth/cmd/awsauth/internal/ssologin"
	"github.com/chaoxiaodi/awsauth/internal/sharedfile"
)

// findPlace reads in the shared files where a profile signs in. A profile that takes
// its role from another one signs in where that one does. named is what gave the
// profile's name, "" if nothing did.
func findPlace(profile, named string) (ssologin.Place, error) {
	files, err := sharedFiles()
	if err != nil {
		return ssologin.Place{}, err
	}
	get := func(profile, key string) string {
		v, _ := files.Get(profile, key)
		return v.Text
	}
	name := profile
	const longest = 20 // a way that is longer is a circle
	for range longest {
		place := ssologin.Place{Session: get(name, "sso_session"), StartURL: get(name, "sso_start_url"), Region: get(name, "sso_region")}
		if place.Session != "" {
			section, ok := files.SSOSession(place.Session)
			if !ok {
				return place, fmt.Errorf("profile %q: there is no section [sso-session %s]", name, place.Session)
			}
			place.StartURL, place.Region, place.Scopes = of(section, "sso_start_url"), of(section, "sso_region"), scopes(of(section, "sso_registration_scopes"))
		}
		switch {
		case place.StartURL != "" && place.Region != "":
			return place, nil
		case place.StartURL != "" || place.Session != "":
			return place, fmt.Errorf("profile %q: sso_start_url and sso_region must both be there", name)
		}
		next := get(name, "source_profile")
		if next == "" || next == name {
			break
		}
		name = next
	}
	return ssologin.Place{}, notSSO(files, profile, named)
}

// notSSO is the error for a profile that does not sign in.
func notSSO(files *sharedfile.Files, profile, named string) error {
	if problems := files.Problems(profile); len(problems) > 0 { // for which it may be that nothing was found
		return errors.New(problems[0].String())
	}
	if !files.Has(profile) {
		var with []string
		for _, name := range files.Names() {
			if v, _ := files.Get(name, "sso_session"); v.Text != "" {
				with = append(with, name)
			}
		}
		text := fmt.Sprintf("profile %q (%s) is not in %s", profile, named, strings.Join(files.Paths(), " or "))
		if named == "" {
			text = fmt.Sprintf("name a profile with --profile: there is no %q in %s", profile, strings.Join(files.Paths(), " or "))
		}
		if len(with) > 0 {
			text += "; these sign in with SSO: " + strings.Join(with, ", ")
		}
		return errors.New(text)
	}
	return fmt.Errorf("profile %q does not sign in with SSO: it has no sso_session and no sso_start_url; see awsauth explain --profile %s", profile, profile)
}

// sharedFiles reads the files that the library reads.
func sharedFiles() (*sharedfile.Files, error) {
	var paths [2]string
	for i, f := range []struct{ variable, otherwise string }{
		{"AWS_CONFIG_FILE", config.DefaultSharedConfigFilename()},
		{"AWS_SHARED_CREDENTIALS_FILE", config.DefaultSharedCredentialsFilename()},
	} {
		path := os.Getenv(f.variable)
		if path == "" {
			path = f.otherwise
		}
		path, err := sharedfile.Expand(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.variable, err)
		}
		paths[i] = path
	}
	return sharedfile.Read(paths[:1], paths[1:]), nil
}

func of(section sharedfile.Section, key string) string {
	v, _ := section.Get(key)
	return v.Text
}

// scopes are the parts of a list with commas.
func scopes(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
}
