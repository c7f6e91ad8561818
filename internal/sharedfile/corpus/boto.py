"""Reads a corpus of shared files with botocore, for TestBoto.

stdin: a JSON list of {name, config, credentials, profile, env}, the files base64.
stdout: a JSON list of {name, error, refusal, config, credentials, method, key};
error is why a file cannot be read, refusal why there are no credentials in it.
"""
import base64, json, os, sys, tempfile

import boto3
import botocore.configloader


def sections(read, path, profile, key):
    found = read(path)
    found = found[key] if key else found
    return found.get(profile)


def look(entry, dir):
    answer = {"name": entry["name"], "error": "", "refusal": "", "config": None, "credentials": None, "method": "", "key": ""}
    paths = {}
    for kind in ("config", "credentials"):
        paths[kind] = os.path.join(dir, kind)
        with open(paths[kind], "wb") as f:
            f.write(base64.b64decode(entry[kind] or ""))
    os.environ.clear()
    os.environ.update(
        AWS_CONFIG_FILE=paths["config"],
        AWS_SHARED_CREDENTIALS_FILE=paths["credentials"],
        AWS_EC2_METADATA_DISABLED="true",
        HOME=dir,
        **dict(e.split("=", 1) for e in entry["env"] or []),
    )
    try:
        answer["config"] = sections(botocore.configloader.load_config, paths["config"], entry["profile"], "profiles")
        answer["credentials"] = sections(botocore.configloader.raw_config_parse, paths["credentials"], entry["profile"], "")
    except Exception as e:
        answer["error"] = type(e).__name__
        return answer
    try:
        named = None if entry["profile"] == "default" else entry["profile"]
        found = boto3.Session(profile_name=named).get_credentials()
        if found is not None:
            answer["method"] = found.method
            if found.method in ("config-file", "shared-credentials-file", "env"):
                answer["key"] = found.access_key
    except Exception as e:
        answer["refusal"] = type(e).__name__
    return answer


with tempfile.TemporaryDirectory() as dir:
    json.dump([look(entry, dir) for entry in json.load(sys.stdin)], sys.stdout)
