// Command storedkeys is a daemon that works with the keys in a secret of Secrets Manager.
// Somebody may replace them while it runs: it goes on with the new ones.
//
//	storedkeys -secret prod/china -partition aws-cn
//
// The machine's own identity reads the secret. The daemon's work stands for anything:
// every minute it says who it is. keys.go has the provider, also for a database.
//
// To replace the keys: make the new ones, put them into the secret, wait for the
// lifetime, and delete the old ones. Nobody notices. Where the old ones have to go at
// once, requests of the next minute may fail; from then on a refusal makes the session
// read the secret again and send the request once more.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/chaoxiaodi/awsauth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], slog.Default()); err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}

// run works until ctx ends. opts are for both sessions; a test has some.
func run(ctx context.Context, args []string, log *slog.Logger, opts ...awsauth.Option) error {
	flags := flag.NewFlagSet("storedkeys", flag.ContinueOnError)
	name := flags.String("secret", "", "name of the secret")
	partition := flags.String("partition", "", "partition of its keys (default aws)")
	lifetime := flags.Duration("lifetime", time.Hour, "how long keys are used without being read again")
	every := flags.Duration("every", time.Minute, "pause between two pieces of work")
	if err := flags.Parse(args); err != nil {
		return err
	}
	machine, err := awsauth.New(opts...)
	if err != nil {
		return err
	}
	keys := Stored{Read: Secret(secretsmanager.NewFromConfig(machine.Config()), *name), Lifetime: *lifetime}
	s, err := awsauth.New(append(opts, awsauth.WithCredentialsProvider(keys),
		awsauth.WithPartition(awsauth.Partition(*partition)), awsauth.WithLogger(log))...)
	if err != nil {
		return err
	}
	client := sts.NewFromConfig(s.Config())
	for ctx.Err() == nil {
		if who, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
			log.Error("work failed", "err", err)
		} else {
			log.Info("work done", "as", aws.ToString(who.Arn))
		}
		select {
		case <-ctx.Done():
		case <-time.After(*every):
		}
	}
	return nil
}
