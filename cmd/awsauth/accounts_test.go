package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

// tree stands in for Organizations: accounts and units below units, a page each.
type tree map[string][]string

// states are those of accounts that are not active.
var states = map[string]string{accountC: "SUSPENDED"}

func (tr tree) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ ParentId, NextToken string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var all []string
	switch action {
	case "ListAccounts":
		for _, children := range tr {
			all = append(all, children...)
		}
		all = only(all, false)
		slices.Sort(all) // the pages are of one list
	case "ListAccountsForParent":
		all = only(tr[in.ParentId], false)
	case "ListOrganizationalUnitsForParent":
		all = only(tr[in.ParentId], true)
	}
	if _, ok := tr[in.ParentId]; in.ParentId != "" && !ok {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"ParentNotFoundException","Message":"there is no such parent"}`)
		return
	}
	at := 0
	_, _ = fmt.Sscan(in.NextToken, &at)
	out := map[string]any{}
	if at < len(all) {
		id := all[at]
		state := states[id]
		if state == "" {
			state = "ACTIVE"
		}
		out["Accounts"] = []map[string]string{{"Id": id, "Name": "the \x1b[31m shop\n" + id[:3], "Email": "x@example.com", "State": state,
			"Status": "ACTIVE", "Arn": "arn:aws:organizations::111111111111:account/o-1/" + id}}
		if strings.HasPrefix(id, "ou-") {
			out = map[string]any{"OrganizationalUnits": []map[string]string{{"Id": id, "Name": id}}}
		}
		if at+1 < len(all) {
			out["NextToken"] = fmt.Sprint(at + 1)
		}
	}
	_ = json.NewEncoder(w).Encode(out)
}

// only are the units among ids, or the accounts.
func only(ids []string, units bool) (some []string) {
	for _, id := range ids {
		if strings.HasPrefix(id, "ou-") == units {
			some = append(some, id)
		}
	}
	return some
}

func organizationOf(t *testing.T) (cloud *awsauthtest.Cloud, url string) {
	t.Helper()
	cloud, url = fleet(t)
	server := httptest.NewServer(tree{
		"r-ab12":           {"111111111111", "ou-ab12-aaaaaaaa"},
		"ou-ab12-aaaaaaaa": {accountB, accountC, "ou-ab12-bbbbbbbb", "ou-ab12-cccccccc"},
		"ou-ab12-bbbbbbbb": {accountA},
		"ou-ab12-cccccccc": {},
	})
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_ORGANIZATIONS", server.URL)
	return cloud, url
}

// TestAccounts: the active ones, in nested units too, as each reads them.
func TestAccounts(t *testing.T) {
	cloud, url := organizationOf(t)
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::111111111111:role/lister", Trust: []string{ana}})
	const a, b, m = accountA + " # the ?[31m shop?222\n", accountB + " # the ?[31m shop?333\n", "111111111111 # the ?[31m shop?111\n"
	for _, tt := range []struct{ args, want string }{
		{"", m + a + b},
		{"--ou r-ab12", m + a + b},
		{"--ou ou-ab12-aaaaaaaa", a + b},
		{"--ou ou-ab12-bbbbbbbb --ou ou-ab12-bbbbbbbb", a},
		{"--ou ou-ab12-cccccccc", ""},
		{"--lister-role lister --ou ou-ab12-bbbbbbbb", a},
		{"--lister-role arn:aws:iam::111111111111:role/lister --ou ou-ab12-bbbbbbbb", a},
	} {
		code, out, stderr := command(t, append([]string{"accounts", "--sts-endpoint", url}, strings.Fields(tt.args)...)...)
		require.Equal(t, exitOK, code, stderr)
		assert.Equal(t, tt.want, out, tt.args)
		assert.Empty(t, stderr)
		list, err := readAccounts(t.Context(), "-", strings.NewReader(out))
		require.NoError(t, err)
		assert.Len(t, list.accounts, strings.Count(out, "\n"))
	}
	cloud.AssertCalled(t, ana, "AssumeRole", "arn:aws:iam::111111111111:role/lister")
}

func TestAccountsJSON(t *testing.T) {
	_, url := organizationOf(t)
	code, out, stderr := command(t, "accounts", "--sts-endpoint", url, "--json", "--ou", "ou-ab12-bbbbbbbb")
	require.Equal(t, exitOK, code, stderr)
	var found []member
	require.NoError(t, json.Unmarshal([]byte(out), &found))
	assert.Equal(t, []member{{ID: accountA, Name: "the \x1b[31m shop\n222", Email: "x@example.com",
		ARN: "arn:aws:organizations::111111111111:account/o-1/" + accountA, Unit: "ou-ab12-bbbbbbbb"}}, found)
	assert.NotContains(t, out, "\x1b")
	_, out, _ = command(t, "accounts", "--sts-endpoint", url, "--json", "--ou", "ou-ab12-cccccccc")
	assert.Equal(t, "[]\n", out)
}

// TestAccountsSilent: an account that may be closed is not taken for an active one, and
// not left out in silence.
func TestAccountsSilent(t *testing.T) {
	_, url := fleet(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"Accounts":[{"Id":"222222222222","Status":"ACTIVE"},{"Id":"333333333333","State":"ACTIVE"},{"Id":"444444444444","State":"CLOSED"}]}`)
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL_ORGANIZATIONS", server.URL)
	code, out, stderr := command(t, "accounts", "--sts-endpoint", url)
	assert.Equal(t, exitOK, code)
	assert.Equal(t, "333333333333 # \n", out)
	assert.Equal(t, "awsauth: left out 1 account of which the answer does not say whether they are active\n", stderr)
}

func TestAccountsFail(t *testing.T) {
	_, url := organizationOf(t)
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"--ou ab12", exitUsage, "looks like ou-ab12-11111111"},
		{"--ou ou-ab12-dddddddd", exitFailed, "awsauth: accounts: ou-ab12-dddddddd: "},
		{"--lister-role nobody", exitFailed, "role/nobody"},
		{"--lister-role arn:aws-cn:iam::111111111111:role/x", exitFailed, "aws-cn"},
		{"--lister-role a!", exitUsage, `awsauth: --lister-role "a!": the role name`},
		{"--lister-role arn:x", exitUsage, `awsauth: --lister-role "arn:x": not an ARN`},
		{"now", exitUsage, `not "now"`},
	} {
		code, out, stderr := command(t, append([]string{"accounts", "--sts-endpoint", url}, strings.Fields(tt.args)...)...)
		assert.Equal(t, tt.code, code, stderr)
		assert.Empty(t, out)
		assert.Contains(t, stderr, tt.says)
		assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	}
}

// TestAccountsWithoutNetwork: the error says where no connection was made and what to
// check, and is not the SDK's, with its fields that are empty.
func TestAccountsWithoutNetwork(t *testing.T) {
	_, url := organizationOf(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not see that the client leaves
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	for at, tt := range map[string]struct{ args, start, end string }{
		gone.URL:   {"", "no connection to " + gone.Listener.Addr().String() + ": dial tcp", ": check the network and the proxy variables\n"},
		silent.URL: {"--timeout 1s", "no answer in time from Organizations: allow more time", "or check the network and the proxy variables\n"},
	} {
		t.Setenv("AWS_ENDPOINT_URL_ORGANIZATIONS", at)
		code, out, stderr := command(t, append([]string{"accounts", "--sts-endpoint", url}, strings.Fields(tt.args)...)...)
		assert.Equal(t, exitFailed, code)
		assert.Empty(t, out)
		assert.True(t, strings.HasPrefix(stderr, "awsauth: accounts: "+tt.start), stderr)
		assert.True(t, strings.HasSuffix(stderr, tt.end), stderr)
		assert.NotContains(t, stderr, "StatusCode")
	}
}
