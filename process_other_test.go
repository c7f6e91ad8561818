//go:build !linux

package awsauth_test

func freeze() { panic("only the tests for Linux ask for it") }
