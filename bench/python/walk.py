"""A small re-creation of the class that awsauth replaces, and of the loop it is used in.

One boto3 session, one STS client and one AssumeRole per account, one account
after the other. Prints the seconds from the first line of the loop to its end,
and the bytes of memory that each account costs while its session is kept.
"""
import sys
import time

import boto3


class AwsApi:
    def __init__(self, account_id, role="manage-role", is_global=True):
        base = boto3.Session()
        sts = base.client("sts")
        partition = "aws" if is_global else "aws-cn"
        credentials = sts.assume_role(
            RoleArn="arn:%s:iam::%s:role/%s" % (partition, account_id, role),
            RoleSessionName="string",
        )["Credentials"]
        self.session = boto3.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )


def resident():
    """Bytes of this process in memory; 0 where the system does not say."""
    try:
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * 4096
    except OSError:
        return 0


if __name__ == "__main__":
    accounts = sys.argv[1:]
    before = resident()
    start = time.perf_counter()
    kept = [AwsApi(account) for account in accounts]
    took = time.perf_counter() - start
    print(took, (resident() - before) / len(accounts))
