#!/usr/bin/env python3
"""Prints an account and its buckets. The script knows nothing of roles, and stays so."""

import boto3

print(boto3.client("sts").get_caller_identity()["Account"])
for bucket in boto3.client("s3").list_buckets()["Buckets"]:
    print("  " + bucket["Name"])
