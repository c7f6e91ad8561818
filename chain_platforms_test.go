package awsauth_test

import (
	"log/slog"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// platformSetup is what a platform, or a team on it, sets up: variables and files that
// work with the SDK, and the kind of source that it takes.
type platformSetup struct {
	name, config, credentials string
	env                       []string
	wants                     aws.CredentialSource
}

func platformSetups() []platformSetup {
	temporary := []string{"AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=" + lab.SomeSecret, "AWS_SESSION_TOKEN=token=="}
	with := func(more ...string) []string { return append(slices.Clone(temporary), more...) }
	web := []string{"AWS_ROLE_ARN=$BASE", "AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token"}
	const onlyRole = "[default]\nrole_arn = $BASE\ncredential_source = "
	return []platformSetup{
		{name: "Lambda", env: with("AWS_LAMBDA_FUNCTION_NAME=f", "AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "AWS_XRAY_DAEMON_ADDRESS=169.254.79.129:2000"), wants: aws.CredentialSourceEnvVars},
		{name: "GitHub Actions", env: with("AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "GITHUB_ACTIONS=true"), wants: aws.CredentialSourceEnvVars},
		{name: "aws-vault exec", env: with("AWS_VAULT=ops", "AWS_CREDENTIAL_EXPIRATION=2099-01-01T00:00:00Z", "AWS_REGION=us-east-1"), wants: aws.CredentialSourceEnvVars},
		{name: "Jenkins, keys of a user", env: []string{"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=" + lab.SomeSecret, "AWS_SESSION_TOKEN="}, wants: aws.CredentialSourceEnvVars},
		{name: "LocalStack", env: []string{"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_DEFAULT_REGION=us-east-1", "AWS_ENDPOINT_URL=http://localhost:4566"}, wants: aws.CredentialSourceEnvVars},
		{name: "LocalStack from a container", env: []string{"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_ENDPOINT_URL=http://host.docker.internal:4566"}, wants: aws.CredentialSourceEnvVars},
		{name: "MinIO for S3 alone", env: []string{"AWS_ACCESS_KEY_ID=minio", "AWS_SECRET_ACCESS_KEY=minio123", "AWS_ENDPOINT_URL_S3=http://minio.example.com:9000"}, wants: aws.CredentialSourceEnvVars},
		{name: "MinIO in a cluster", env: []string{"AWS_ACCESS_KEY_ID=minio", "AWS_SECRET_ACCESS_KEY=minio123", "AWS_ENDPOINT_URL=http://minio.minio.svc.cluster.local:9000"}, wants: aws.CredentialSourceEnvVars},
		{name: "empty variables beside a profile", credentials: "[default]\n" + lab.SomePair, env: []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=", "AWS_PROFILE=", "AWS_REGION="}, wants: aws.CredentialSourceProfile},
		{name: "a role's ARN for a script", credentials: "[default]\n" + lab.SomePair, env: []string{"AWS_ROLE_ARN=$BASE", "AWS_ROLE_SESSION_NAME=x"}, wants: aws.CredentialSourceProfile},
		{name: "the old SDK's switch", config: "[default]\n" + lab.SomePair, env: []string{"AWS_SDK_LOAD_CONFIG=false"}, wants: aws.CredentialSourceProfile},
		{name: "EKS, service account", env: append(slices.Clone(web), "AWS_STS_REGIONAL_ENDPOINTS=regional", "AWS_REGION=us-west-2"), wants: aws.CredentialSourceEnvVarsSTSWebIDToken},
		{name: "EKS, beside keys in a file", credentials: "[default]\n" + lab.SomePair, env: web, wants: aws.CredentialSourceEnvVarsSTSWebIDToken},
		{name: "EKS, Pod Identity", env: []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token"}, wants: aws.CredentialSourceHTTP},
		{name: "ECS, CodeBuild", env: []string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/1", "AWS_EXECUTION_ENV=AWS_ECS_FARGATE", "CODEBUILD_BUILD_ID=x"}, wants: aws.CredentialSourceHTTP},
		{name: "SageMaker", env: []string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/_sagemaker-instance-credentials/0123abcd"}, wants: aws.CredentialSourceHTTP},
		{name: "CloudShell", env: []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://localhost:1338/latest/meta-data/container/security-credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN=abc="}, wants: aws.CredentialSourceHTTP},
		{name: "Greengrass", env: []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://localhost:8090/2016-11-01/credentialprovider/", "AWS_CONTAINER_AUTHORIZATION_TOKEN=ABC"}, wants: aws.CredentialSourceHTTP},
		{name: "aws-vault's server", env: []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:40123/", "AWS_CONTAINER_AUTHORIZATION_TOKEN=abc"}, wants: aws.CredentialSourceHTTP},
		{name: "role of the task", config: onlyRole + "EcsContainer\n", env: []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/x"}, wants: aws.CredentialSourceProfileNamedProvider},
		{name: "role of the instance", config: onlyRole + "Ec2InstanceMetadata\n", wants: aws.CredentialSourceProfileNamedProvider},
		{name: "a region on an instance", config: "[default]\nregion = us-east-1\noutput =\n", wants: aws.CredentialSourceIMDS},
		{name: "empty files on an instance", config: "# nothing\n", credentials: "; nothing\n", wants: aws.CredentialSourceIMDS},
		{name: "a default put aside, on an instance", credentials: "[_default]\n" + lab.SomePair, wants: aws.CredentialSourceIMDS},
	}
}

// TestPlatforms: what platforms set up is not refused, nor is another source taken
// than the SDK takes.
func TestPlatforms(t *testing.T) {
	for _, setup := range platformSetups() {
		t.Run(setup.name, func(t *testing.T) {
			c := newDecisionCast(t)
			writeFiles(t, c.Dir, c.text(setup.config), c.text(setup.credentials))
			c.Env(setup.env...)
			kinds := c.Open().ProviderSources()
			assert.Contains(t, kinds, setup.wants)
			cfg, err := config.LoadDefaultConfig(t.Context(), c.LoadOptions())
			require.NoError(t, err)
			assert.Equal(t, cfg.Credentials.(aws.CredentialProviderSource).ProviderSources(), kinds)
		})
	}
}

// TestProfileBehindWebIdentity: boto3 and the AWS CLI assume a profile's role before
// they take the variables of web identity. Here and in the SDK these come first, and
// the log says so.
func TestProfileBehindWebIdentity(t *testing.T) {
	const source = "[profile pod]\nrole_arn = $BASE\nweb_identity_token_file = $DIR/token\n"
	for name, tt := range map[string]struct {
		config  string
		env     []string
		warning string
	}{
		"AWS_PROFILE":            {"[profile ops]\nrole_arn = $MIDDLE\nsource_profile = pod\n" + source, []string{"AWS_PROFILE=ops"}, `the role of profile "ops" is not assumed`},
		"default":                {"[default]\nrole_arn = $MIDDLE\ncredential_source = EcsContainer\n", nil, `the role of profile "default" is not assumed`},
		"a profile of its token": {source, []string{"AWS_PROFILE=pod"}, ""},
		"keys":                   {"[default]\n" + lab.SomePair, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := newDecisionCast(t)
			c.Files(tt.config, "")
			c.Env(append(tt.env, "AWS_ROLE_ARN=$BASE", "AWS_WEB_IDENTITY_TOKEN_FILE=$DIR/token")...)
			var log lab.Records
			assert.Equal(t, c.Became(lab.Home, "base"), c.IdentityOf(c.Open(log.Option())))
			warnings := log.At(slog.LevelWarn)
			if tt.warning == "" {
				assert.Empty(t, warnings)
				return
			}
			require.Len(t, warnings, 1)
			assert.Contains(t, warnings[0].Message, tt.warning)
			_ = c.Open(log.Option(), c.Static())
			assert.Empty(t, log.At(slog.LevelWarn), "given on purpose")
		})
	}
}
