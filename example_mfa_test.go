package awsauth_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/chaoxiaodi/awsauth"
)

// A command prints the code: here 1Password's. Others are
// ykman oath accounts code --single AWS (a YubiKey) and oathtool.
// Every role of an hour, in every account, comes from that one code.
func ExampleWithMFA() {
	code := func(ctx context.Context) (string, error) {
		out, err := exec.CommandContext(ctx, "op", "item", "get", "AWS", "--otp").Output()
		return string(out), err
	}
	s, err := awsauth.New(
		awsauth.WithProfile("ana"),
		awsauth.WithMFA("arn:aws:iam::111111111111:mfa/ana", code),
		awsauth.WithAccount("123456789012"),
	)
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.ARN)
}

// A person types the code, at the terminal. The device is the profile's mfa_serial.
// With the disk cache, the other programs of the day do not ask again.
func ExamplePromptMFA() {
	s, err := awsauth.New(
		awsauth.WithProfile("ana"),
		awsauth.WithMFA("", awsauth.PromptMFA),
		awsauth.WithDiskCache(""),
	)
	if err != nil {
		log.Fatal(err)
	}
	err = s.ForEachAccount(context.Background(), []string{"123456789012", "222222222222"},
		func(ctx context.Context, account *awsauth.Session) error {
			id, err := account.Identity(ctx)
			fmt.Println(id.Account)
			return err
		}, awsauth.WithRole("team/reader"))
	if err != nil {
		log.Fatal(err)
	}
}

// Each New below stands for a process of its own: one of them calls STS, and the
// other finds what that one got.
func ExampleWithDiskCache() {
	dir, err := os.MkdirTemp("", "awsauth") // in a program: "", the user's cache directory
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	var ids []string
	for range 2 {
		s, err := awsauth.New(awsauth.WithAccount("123456789012"), awsauth.WithDiskCache(dir))
		if err != nil {
			log.Fatal(err)
		}
		keys, err := s.Retrieve(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		ids = append(ids, keys.AccessKeyID)
	}
	fmt.Println("the same credentials:", ids[0] == ids[1])
}

// The key lies in the keychain of macOS, or in the secret service of a Linux desktop.
// It is put there once, and asked for when a session first uses the cache:
//
//	security add-generic-password -a "$USER" -s awsauth -w "$(openssl rand -hex 32)"
//	openssl rand -hex 32 | tr -d '\n' | secret-tool store --label=awsauth service awsauth
func ExampleWithDiskCacheKey() {
	key := func(ctx context.Context) ([]byte, error) {
		command := []string{"security", "find-generic-password", "-s", "awsauth", "-w"}
		if runtime.GOOS == "linux" {
			command = []string{"secret-tool", "lookup", "service", "awsauth"}
		}
		out, err := exec.CommandContext(ctx, command[0], command[1:]...).Output()
		if err != nil {
			return nil, err
		}
		return hex.DecodeString(strings.TrimSpace(string(out)))
	}
	s, err := awsauth.New(
		awsauth.WithAccount("123456789012"),
		awsauth.WithDiskCache(""),
		awsauth.WithDiskCacheKey(key),
	)
	if err != nil {
		log.Fatal(err)
	}
	id, err := s.Identity(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.ARN)
}
