package awsauth_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoxiaodi/awsauth"
	"github.com/chaoxiaodi/awsauth/awsauthtest"
	"github.com/chaoxiaodi/awsauth/internal/lab"
)

// sdkPartition is one row of the SDK's own table.
type sdkPartition struct {
	ID          string
	RegionRegex string
	Regions     map[string]any
	Outputs     struct{ DNSSuffix string }
}

func sdkPartitions(t *testing.T) (table struct{ Partitions []sdkPartition }) {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2").Output()
	if err != nil {
		t.Skipf("the SDK's source cannot be found: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "internal", "endpoints", "awsrulesfn", "partitions.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &table))
	require.NotEmpty(t, table.Partitions)
	return table
}

// TestPartitionTable holds the table against the SDK's.
func TestPartitionTable(t *testing.T) {
	rows := awsauth.PartitionRows()
	sdk := sdkPartitions(t)
	require.Len(t, rows, len(sdk.Partitions))
	for _, row := range rows {
		i := slices.IndexFunc(sdk.Partitions, func(p sdkPartition) bool { return p.ID == string(row.ID) })
		require.GreaterOrEqualf(t, i, 0, "the SDK has no %s", row.ID)
		theirs := sdk.Partitions[i]
		// "\-" outside brackets is "-", and "(de)" is "de".
		pattern := strings.NewReplacer(`\-`, "-", "(de)", "de").Replace(theirs.RegionRegex)
		assert.Equal(t, pattern, row.Regions, row.ID)
		got, ok := awsauth.PartitionOf(row.DefaultRegion)
		assert.True(t, ok && got == row.ID, "the default region of %s is of %s", row.ID, got)
		assert.Contains(t, theirs.Regions, row.DefaultRegion)
	}
}

// TestPartitionOfEveryRegion takes every region the SDK knows, and its STS.
func TestPartitionOfEveryRegion(t *testing.T) {
	awsauthtest.Isolate(t)
	for _, p := range sdkPartitions(t).Partitions {
		for region := range p.Regions {
			got, ok := awsauth.PartitionOf(region)
			assert.Truef(t, ok, "%s is not known", region)
			assert.Equal(t, p.ID, string(got), region)
			if strings.HasSuffix(region, "-global") {
				continue
			}
			endpoint, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), sts.EndpointParameters{Region: aws.String(region)})
			require.NoError(t, err)
			assert.Equal(t, "sts."+region+"."+p.Outputs.DNSSuffix, endpoint.URI.Host)
			assert.Equal(t, lab.STSHost(region), endpoint.URI.Host, "the tests' own table")
			s, err := awsauth.New(awsauth.WithStaticCredentials(lab.SomeID, lab.SomeSecret, ""), awsauth.WithRegion(region))
			require.NoError(t, err)
			assert.Equal(t, region, s.Config().Region)
		}
	}
}

func TestPartitionOf(t *testing.T) {
	tests := []struct {
		region string
		want   awsauth.Partition
		ok     bool
	}{
		{"us-east-1", awsauth.AWS, true},
		{"mx-central-1", awsauth.AWS, true},
		{"ap-southeast-99", awsauth.AWS, true}, // opens tomorrow
		{"cn-northwest-1", awsauth.China, true},
		{"us-gov-east-1", awsauth.GovCloud, true},
		{"eusc-de-east-1", awsauth.EUSovereign, true},
		{"us-iso-east-1", awsauth.ISO, true},
		{"us-isob-east-1", awsauth.ISOB, true},
		{"eu-isoe-west-1", awsauth.ISOE, true},
		{"us-isof-south-1", awsauth.ISOF, true},
		{"aws-global", awsauth.AWS, true},
		{"aws-cn-global", awsauth.China, true},
		{"", "", false},
		{"mars-east-1", "", false}, // the SDK takes it for partition aws
		{"us-east-1a", "", false},
		{"us-east", "", false},
		{"US-EAST-1", "", false},
		{" us-east-1", "", false},
		{"us-east-1\n", "", false},
		{"us-east-1.example.com", "", false},
		{"eusc-fr-east-1", "", false},
		{"cn-north", "", false},
	}
	for _, tt := range tests {
		got, ok := awsauth.PartitionOf(tt.region)
		assert.Equal(t, tt.want, got, tt.region)
		assert.Equal(t, tt.ok, ok, tt.region)
	}
}

// TestEveryPartition goes to a role in each partition, by three ways of saying
// which one, and looks at host, scope and ARN.
func TestEveryPartition(t *testing.T) {
	defaults := map[awsauth.Partition]string{
		awsauth.AWS: "us-east-1", awsauth.China: "cn-north-1", awsauth.GovCloud: "us-gov-west-1", awsauth.EUSovereign: "eusc-de-east-1",
		awsauth.ISO: "us-iso-east-1", awsauth.ISOB: "us-isob-east-1", awsauth.ISOE: "eu-isoe-west-1", awsauth.ISOF: "us-isof-south-1",
	}
	for p, region := range defaults {
		for name, opts := range map[string][]awsauth.Option{
			"partition": {awsauth.WithPartition(p), awsauth.WithAccount(lab.Target)},
			"ARN":       {awsauth.WithRoleARN("arn:" + string(p) + ":iam::" + lab.Target + ":role/manage-role")},
			"region":    {awsauth.WithRegion(region), awsauth.WithAccount(lab.Target)},
			"all": {
				awsauth.WithRegion(region), awsauth.WithPartition(p),
				awsauth.WithRoleARN("arn:" + string(p) + ":iam::" + lab.Target + ":role/manage-role"),
			},
		} {
			t.Run(string(p)+"/"+name, func(t *testing.T) {
				w := lab.New(t, p)
				s := w.Open(append(opts, w.Static())...)
				assert.Equal(t, region, s.Config().Region)
				assert.Equal(t, w.Became(lab.Target, "manage-role"), w.IdentityOf(s))
				assert.Equal(t, []string{"AssumeRole/manage-role " + lab.STSHost(region) + " " + region + " user"}, w.Said())
				id, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(t.Context(), nil)
				require.NoError(t, err, "the credentials work in Config's region")
				assert.Equal(t, lab.Target, *id.Account)
			})
		}
	}
}
