package awsauth

import (
	"fmt"
	"strings"
)

// roleARN is a role ARN taken apart: arn:<partition>:iam::<account>:role/<path/name>.
type roleARN struct {
	partition Partition
	account   string
	name      string // with its path, without a leading slash
}

func (r roleARN) String() string {
	return "arn:" + string(r.partition) + ":iam::" + r.account + ":role/" + r.name
}

// Limits of IAM: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxRolePath = 512 // with its leading and trailing slash
	maxRoleARN  = 2048
)

// parseRoleARN takes a role ARN apart. The error says what is wrong with it,
// and does not name the option: the caller does.
func parseRoleARN(s string) (roleARN, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return roleARN{}, fmt.Errorf("not an ARN; a role's is arn:aws:iam::123456789012:role/name")
	}
	r := roleARN{partition: Partition(parts[1]), account: parts[4]}
	if _, ok := r.partition.info(); !ok {
		return roleARN{}, fmt.Errorf("unknown partition %q; there are %s", clip(parts[1]), partitionNames())
	}
	if parts[2] != "iam" || parts[3] != "" {
		return roleARN{}, notARole(parts)
	}
	if err := checkAccount(r.account); err != nil {
		return roleARN{}, err
	}
	name, ok := strings.CutPrefix(parts[5], "role/")
	if !ok {
		return roleARN{}, notARole(parts)
	}
	r.name = name
	if err := checkRoleName(name); err != nil {
		return roleARN{}, err
	}
	if len(s) > maxRoleARN {
		return roleARN{}, fmt.Errorf("%d characters; at most %d are allowed", len(s), maxRoleARN)
	}
	return r, nil
}

// notARole names the ARN that a person who pasted a neighbouring one wants.
func notARole(parts []string) error {
	if rest, ok := strings.CutPrefix(parts[5], "assumed-role/"); ok && parts[2] == "sts" {
		name, _, _ := strings.Cut(rest, "/")
		role := roleARN{Partition(parts[1]), parts[4], name}.String()
		if _, err := parseRoleARN(role); err != nil {
			return fmt.Errorf("the ARN of a role session, not of a role; a role's is arn:aws:iam::123456789012:role/name")
		}
		return fmt.Errorf("the ARN of a role session, not of a role; use %s, with the role's path if it has one", role)
	}
	if strings.HasPrefix(parts[5], "instance-profile/") {
		return fmt.Errorf("the ARN of an instance profile, not of a role; a role's ends in role/name")
	}
	return fmt.Errorf("not the ARN of an IAM role; a role's is arn:aws:iam::123456789012:role/name")
}

// checkAccount holds an account id against its one rule, twelve digits, and
// recognises the spreadsheet that ate a leading zero.
func checkAccount(id string) error {
	if isAccount(id) {
		return nil
	}
	if strings.Trim(id, "0123456789") != "" {
		if digits := strings.NewReplacer("-", "", " ", "").Replace(id); isAccount(digits) {
			return fmt.Errorf("an account id is 12 digits and nothing else; write %q", digits)
		}
		return fmt.Errorf("an account id has 12 digits and nothing else")
	}
	if n := len(id); n < 12 && n >= 9 {
		padded := strings.Repeat("0", 12-n) + id
		return fmt.Errorf("an account id has 12 digits, this has %d; a leading zero may have been lost (%q?)", n, padded)
	}
	return fmt.Errorf("an account id has 12 digits, this has %d", len(id))
}

func isAccount(id string) bool { return len(id) == 12 && isDigits(id) }

// checkRoleName holds a role name with an optional path against IAM's rules.
func checkRoleName(s string) error {
	i := strings.LastIndexByte(s, '/') + 1
	path, name := s[:i], s[i:]
	switch {
	case strings.HasPrefix(s, "/"):
		return fmt.Errorf("a leading slash; write %q", clip(strings.TrimLeft(s, "/")))
	case name == "":
		return fmt.Errorf("no role name")
	case !isName(name, nameSigns, 1, 64):
		return fmt.Errorf("the role name %q must be 1 to 64 letters, digits or _+=,.@-", clip(name))
	case !isPath(path):
		return fmt.Errorf("the role path %q must be printable ASCII between single slashes", clip(path))
	case len(path)+1 > maxRolePath:
		return fmt.Errorf("the role path has %d characters; at most %d are allowed", len(path)+1, maxRolePath)
	}
	return nil
}

// partitionNames lists the partitions for an error.
func partitionNames() string {
	names := make([]string, len(partitionTable))
	for i, row := range partitionTable {
		names[i] = string(row.id)
	}
	return strings.Join(names, ", ")
}

// clip shortens what a caller gave for showing it in an error.
func clip(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
