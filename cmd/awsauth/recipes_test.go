//go:build unix

package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/awsauthtest"
)

const recipeAccount = "123456789012"

// kitchen is a machine on which the blocks of docs/languages.md and docs/recipes.md are
// run: awsauth is on the path, the profile ops has a user's keys, and prod is the page's
// own.
type kitchen struct {
	blocks map[string][]string // by language
	cloud  *awsauthtest.Cloud
	home   string
	env    []string
	// installed stands for what the page has in its places.
	installed *strings.Replacer
}

// newKitchen reads the pages and sets the machine up.
func newKitchen(t *testing.T) *kitchen {
	t.Helper()
	k := &kitchen{blocks: map[string][]string{}, home: t.TempDir()}
	for _, name := range []string{"languages.md", "recipes.md"} {
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		require.NoError(t, err)
		for _, m := range regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
			k.blocks[m[1]] = append(k.blocks[m[1]], m[2])
		}
	}
	program := asProgram(t)
	python := "/usr/bin/python3"
	if found, err := exec.LookPath("python3"); err == nil {
		python = found
	}
	k.installed = strings.NewReplacer("/usr/local/bin/awsauth", program, "/usr/local/bin/backup.sh", k.file(t, "backup.sh", "#!/bin/sh\nenv\n"),
		"/opt/worker/worker.py", k.file(t, "worker.py", botoOnce), "/worker.py", filepath.Join(k.home, "worker.py"), "/usr/bin/python3", python)

	cloud, keys, url := served(t, ana)
	k.cloud = cloud
	cloud.AddRole(awsauthtest.Role{ARN: "arn:aws:iam::" + recipeAccount + ":role/manage-role", Trust: []string{ana}})
	require.NoError(t, os.Mkdir(filepath.Join(k.home, ".aws"), 0o700))
	require.Len(t, k.blocks["ini"], 1)
	k.file(t, ".aws/config", "[profile ops]\nregion = eu-west-1\naws_access_key_id = "+keys.AccessKeyID+"\naws_secret_access_key = "+keys.SecretAccessKey+"\n"+
		k.installed.Replace(k.blocks["ini"][0]))
	k.env = []string{
		"HOME=" + k.home, "PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH"), "NODE_PATH=" + os.Getenv("NODE_PATH"),
		"AWS_ENDPOINT_URL_STS=" + url, "AWS_EC2_METADATA_DISABLED=true", cacheVariable + "=" + filepath.Join(k.home, "cache"),
	}
	return k
}

// botoOnce is the page's worker: it says who it is.
const botoOnce = "import boto3\nprint(boto3.client('sts').get_caller_identity()['Arn'])\n"

func (k *kitchen) file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(k.home, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o700))
	return path
}

// run runs a program at home and returns what it prints.
func (k *kitchen) run(t *testing.T, program string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), program, args...)
	c.Dir, c.Env = k.home, k.env
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s %v: %s", program, args, out)
	return string(out)
}

const recipeRole = "arn:aws:sts::" + recipeAccount + ":assumed-role/manage-role/"

// TestRecipesProcess: the AWS CLI, boto3, Node and Go become the role by the page's line
// in the config file, and make one call to STS for it.
func TestRecipesProcess(t *testing.T) {
	k := newKitchen(t)
	clients := map[string]func(*testing.T) string{
		"aws": func(t *testing.T) string {
			needs(t, "aws")
			return k.run(t, shell(t), "-c", k.blocks["sh"][0])
		},
		"boto3": func(t *testing.T) string { return k.run(t, needsBoto(t), "-c", k.blocks["python"][0]) },
		"node":  func(t *testing.T) string { return k.run(t, needsNodeSDK(t), "-e", k.blocks["js"][0]) },
		"go": func(t *testing.T) string {
			require.Equal(t, []string{"cfg, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(\"prod\"))\n"}, k.blocks["go"])
			t.Setenv("AWS_CONFIG_FILE", filepath.Join(k.home, ".aws", "config"))
			for _, pair := range k.env {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv(name, value)
			}
			cfg, err := config.LoadDefaultConfig(t.Context(), config.WithSharedConfigProfile("prod"))
			require.NoError(t, err)
			out, err := sts.NewFromConfig(cfg).GetCallerIdentity(context.Background(), nil)
			require.NoError(t, err)
			return *out.Arn
		},
	}
	for name, client := range clients {
		t.Run(name, func(t *testing.T) { assert.Contains(t, client(t), recipeRole) })
	}
	assert.Len(t, k.cloud.Calls("AssumeRole"), 1)
}

// TestRecipesExec: the page's lines of shell, each of which ends as the role.
func TestRecipesExec(t *testing.T) {
	k := newKitchen(t)
	needs(t, "aws")
	needsBoto(t)
	lines := k.blocks["sh"]
	require.Len(t, lines, 6) // the last is run by TestCommand of docs
	assert.Contains(t, k.run(t, shell(t), "-c", lines[1]), recipeRole)
	assert.Contains(t, k.run(t, shell(t), "-c", lines[2]), recipeRole)
	assert.Contains(t, k.run(t, shell(t), "-c", lines[3]+"aws sts get-caller-identity"), recipeRole)
	file := filepath.Join(t.TempDir(), ".env")
	assert.Contains(t, k.run(t, shell(t), "-c", "umask 022; cd "+filepath.Dir(file)+"; "+lines[4]+"ls -l .env; set -a; . ./.env; aws sts get-caller-identity"), recipeRole)
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// TestRecipesContainer: what the image starts is the role, from an identity in its
// environment.
func TestRecipesContainer(t *testing.T) {
	k := newKitchen(t)
	needsBoto(t)
	require.Len(t, k.blocks["dockerfile"], 1)
	var started []string
	for _, name := range []string{"ENTRYPOINT", "CMD"} {
		m := regexp.MustCompile(`(?m)^` + name + ` (\[.*\])$`).FindStringSubmatch(k.blocks["dockerfile"][0])
		require.NotNil(t, m, name)
		var words []string
		require.NoError(t, json.Unmarshal([]byte(m[1]), &words))
		started = append(started, words...)
	}
	for i := range started {
		started[i] = k.installed.Replace(started[i])
	}
	k.env = append(k.env, "AWS_PROFILE=ops") // in the place of the container's role
	require.Equal(t, "awsauth", started[0])
	assert.Contains(t, k.run(t, "/usr/bin/env", started...), recipeRole)
}

// TestRecipesCron: with nothing but what cron gives, the job has the role's keys.
func TestRecipesCron(t *testing.T) {
	k := newKitchen(t)
	require.Len(t, k.blocks["crontab"], 1)
	fields := strings.SplitN(strings.TrimSpace(k.blocks["crontab"][0]), " ", 6)
	require.Len(t, fields, 6)
	env := environOf(k.run(t, shell(t), "-c", k.installed.Replace(fields[5])))
	assert.Equal(t, recipeAccount, env["AWS_ACCOUNT_ID"])
	assert.NotEmpty(t, env["AWS_SESSION_TOKEN"])
}

// TestRecipesUnit: what systemd starts is the role, and systemd takes the unit.
func TestRecipesUnit(t *testing.T) {
	k := newKitchen(t)
	require.Len(t, k.blocks["systemd"], 1)
	unit := k.blocks["systemd"][0]
	line := regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindStringSubmatch(unit)
	require.NotNil(t, line)
	assert.Contains(t, unit, "\nKillMode=mixed\n", "else a stop reaches the worker twice")
	t.Run("verify", func(t *testing.T) {
		analyze := needs(t, "systemd-analyze")
		path := k.file(t, "worker.service", k.installed.Replace(unit))
		out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", path).CombinedOutput()
		if err != nil && strings.Contains(string(out), "Failed to initialize manager") {
			t.Skip("systemd-analyze needs a machine that runs systemd")
		}
		assert.NotContains(t, string(out), "worker.service:", "it says what is wrong")
	})
	t.Run("run", func(t *testing.T) {
		needsBoto(t)
		words := strings.Fields(k.installed.Replace(line[1]))
		k.env = append(k.env, "AWS_PROFILE=ops")
		assert.Contains(t, k.run(t, words[0], words[1:]...), recipeRole)
	})
}

func TestRecipesMake(t *testing.T) {
	k := newKitchen(t)
	needs(t, "aws")
	require.Len(t, k.blocks["make"], 1)
	makefile := k.file(t, "Makefile", k.blocks["make"][0])
	assert.Contains(t, k.run(t, needs(t, "make"), "-f", makefile, "whoami"), recipeRole)
	assert.Contains(t, k.run(t, needs(t, "make"), "-f", makefile, "--dry-run", "deploy"), "awsauth exec --profile ops --account "+recipeAccount+" -- aws s3 sync")
}
