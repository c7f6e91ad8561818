package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/chaoxiaodi/awsauth/internal/diskcache"
)

// cacheCommand shows and empties the disk cache.
func cacheCommand() *cli.Command {
	return &cli.Command{
		Name:  "cache",
		Usage: "show what credentials are kept on disk, or remove them",
		Description: "The other commands keep the keys of roles, and MFA sessions, in files that only you can\n" +
			"read, so that the next one need not ask AWS, or you, again. No secret is shown.\n" +
			"Examples:\n\n" +
			"    awsauth cache list\n" +
			"    awsauth cache clear\n\n" +
			"Keys that are removed here live on at AWS until they end.",
		HideHelpCommand: true,
		Commands: []*cli.Command{
			{
				Name: "list", Usage: "show what is kept, whose it is, and until when",
				Description:     "Entries that ended are shown until they are removed. Example:\n\n    awsauth cache list --json",
				Flags:           []cli.Flag{jsonFlag(), cacheDirFlag()},
				HideHelpCommand: true,
				Action:          listCache,
			},
			{
				Name: "clear", Usage: "remove all that is kept",
				Description:     "An entry that another process is writing at this moment may stay. Example:\n\n    awsauth cache clear",
				Flags:           []cli.Flag{jsonFlag(), cacheDirFlag()},
				HideHelpCommand: true,
				Action:          clearCache,
			},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			return misused(cmd, fmt.Errorf("say what to do with it: list or clear"))
		},
	}
}

func jsonFlag() cli.Flag { return &cli.BoolFlag{Name: "json", Usage: "print JSON"} }

// cacheOf is the disk cache that the flags name.
func cacheOf(cmd *cli.Command) (*diskcache.Store, error) {
	if err := noArguments(cmd); err != nil {
		return nil, err
	}
	if err := checkCacheDir(cmd); err != nil {
		return nil, err
	}
	return diskcache.Open(diskcache.Config{Dir: cacheDir(cmd)}), nil
}

// kept is an entry of the cache. Its JSON is for programs: names stay.
type kept struct {
	What      string     `json:"what,omitempty"` // absent, with all that follows, of files that cannot be read
	From      string     `json:"from,omitempty"`
	ARN       string     `json:"arn,omitempty"`
	Account   string     `json:"account,omitempty"`
	Expires   *time.Time `json:"expires,omitempty"`
	Expired   bool       `json:"expired,omitempty"`
	Encrypted bool       `json:"encrypted"`
	File      string     `json:"file"`
}

func listCache(ctx context.Context, cmd *cli.Command) error {
	store, err := cacheOf(cmd)
	if err != nil {
		return err
	}
	items, err := store.List(ctx)
	if err != nil {
		return &failure{said{"awsauth: cache: " + oneLine(err.Error()), err}}
	}
	now := time.Now()
	all := []kept{}
	for _, item := range items {
		k := kept{What: item.What, From: item.From, ARN: item.ARN, Account: item.Account, Encrypted: item.Encrypted, File: item.File}
		if !item.Expires.IsZero() {
			expires := item.Expires.UTC()
			k.Expires, k.Expired = &expires, !now.Before(expires)
		}
		all = append(all, k)
	}
	if cmd.Bool("json") {
		err = writeJSON(cmd.Root().Writer, all)
	} else {
		err = writeKept(cmd.Root().Writer, all, now)
	}
	if err != nil {
		return &failure{fmt.Errorf("awsauth: write the answer: %w", err)}
	}
	if len(all) == 0 {
		fmt.Fprintln(cmd.Root().ErrWriter, "awsauth: nothing is kept on disk")
	}
	return nil
}

// writeKept writes the entries for a person: what it is, and below who asked for it
// and until when it lasts.
func writeKept(w io.Writer, all []kept, now time.Time) error {
	var b strings.Builder
	for _, k := range all {
		if k.What == "" {
			fmt.Fprintf(&b, "%s\n    %s\n", k.File, k.unreadable())
			continue
		}
		fmt.Fprintf(&b, "%s\n", printable(k.What))
		if k.ARN != "" {
			fmt.Fprintf(&b, "    as    %s\n", printable(k.ARN))
		}
		fmt.Fprintf(&b, "    from  %s\n    until %s\n", printable(k.From), k.until(now))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (k kept) unreadable() string {
	if k.Encrypted {
		return "encrypted, by a program that has the key"
	}
	return "damaged, or of another version"
}

func (k kept) until(now time.Time) string {
	if k.Expires == nil {
		return "not known"
	}
	at := k.Expires.Format("2006-01-02 15:04:05 UTC")
	if k.Expired {
		return at + ", which is over"
	}
	return fmt.Sprintf("%s, in %v", at, k.Expires.Sub(now).Truncate(time.Second))
}

func clearCache(ctx context.Context, cmd *cli.Command) error {
	store, err := cacheOf(cmd)
	if err != nil {
		return err
	}
	removed, err := store.Clear(ctx)
	if cmd.Bool("json") {
		if err := writeJSON(cmd.Root().Writer, map[string]int{"removed": removed}); err != nil {
			return &failure{said{"awsauth: cache: " + oneLine(err.Error()), err}}
		}
	}
	if err != nil {
		return &failure{said{"awsauth: cache: " + oneLine(err.Error()), err}}
	}
	if !cmd.Bool("json") {
		fmt.Fprintf(cmd.Root().ErrWriter, "awsauth: removed %s\n", entries(removed))
	}
	return nil
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}
