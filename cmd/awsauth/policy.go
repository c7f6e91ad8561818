package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// mostPolicy bounds what is read of a policy's file. A policy has at most 2048
// characters; the blanks around it do not count.
const mostPolicy = 64 << 10

// policyText is the value of --policy: JSON, or the name of a file with it behind @.
func policyText(ctx context.Context, value string) (string, error) {
	name, ok := strings.CutPrefix(value, "@")
	if !ok {
		return value, nil
	}
	if name == "" {
		return "", errors.New("--policy: write the name of a file behind @")
	}
	text, err := readPolicy(ctx, name)
	if err != nil {
		return "", &failure{fmt.Errorf("awsauth: --policy: %w", err)}
	}
	policy := strings.TrimSpace(text)
	if policy == "" { // the role would not be narrowed at all
		return "", &failure{fmt.Errorf("awsauth: --policy: there is no policy in %q", name)}
	}
	return policy, nil
}

// readPolicy reads a file that may be a pipe, as /dev/stdin and a shell's <(…) are.
// Opening a pipe waits for its writer, and nothing can end that wait. So a goroutine
// waits, and at the end of ctx it is left behind: the process ends soon.
func readPolicy(ctx context.Context, name string) (string, error) {
	var text string
	read := make(chan error, 1)
	go func() {
		var err error
		text, err = readTextFile(name, mostPolicy)
		read <- err
	}()
	select {
	case err := <-read:
		return text, err
	case <-ctx.Done():
		return "", said{fmt.Sprintf("read %q: it did not end in time; if it is a pipe, look at what writes to it", name), ctx.Err()}
	}
}
