"""No secret lies in the project: `python -m tests.secret_scan` reads every file that git has or would take.

What the scan takes for a secret and is none stands in `KNOWN`, with the reason; a line of it that is
not needed any more fails too.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parent.parent

# Keys of known shape, passwords in URLs; then any literal that looks random.
PLUGINS: list[dict[str, str | float]] = [
    {"name": name}
    for name in (
        "ArtifactoryDetector",
        "AWSKeyDetector",
        "AzureStorageKeyDetector",
        "BasicAuthDetector",
        "DiscordBotTokenDetector",
        "GitHubTokenDetector",
        "JwtTokenDetector",
        "MailchimpDetector",
        "NpmDetector",
        "SendGridDetector",
        "SlackDetector",
        "SquareOAuthDetector",
        "StripeDetector",
        "TwilioKeyDetector",
    )
]
PLUGINS += [
    {"name": "Base64HighEntropyString", "limit": 4.5},
    {"name": "HexHighEntropyString", "limit": 3.0},
]

# The tool's own detector looks into files of 8 kB at most.
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")

# Files, what is found in them, and why it is no secret.
KNOWN = [
    (r"requirements/\w+\.txt", r"[0-9a-f]{64}", "hashes of packages, which pip compares"),
    (
        r"tests/environment\.py",
        r".*-of-the-tests-.*",
        "keys of the tests, which check --deploy refuses",
    ),
    (
        r"README\.md|SECURITY\.md|\.env\.example|docs/.*\.md|omarty/(settings|setting_values|management/.*)\.py",
        r"password|reader|a%20password%20of%20your%20own|secret",
        "the place of a password in an example of DATABASE_URL",
    ),
    (
        r"tests/.*\.py",
        r"reader|of-ours|password|secret",
        "accounts of throwaway servers, or of none",
    ),
    (
        r"omarty/api/sign_in\.py",
        r"eyJhbGciOiJIUzI1NiJ9\.e30\.",
        "the API pages' example: no signature",
    ),
]


def files(root: Path) -> list[str]:
    """The names of all files that are in git, or would be after `git add --all`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return [name for name in sorted(set(listed.split("\0"))) if (root / name).is_file()]


def findings(root: Path, names: list[str]) -> Iterator[tuple[str, int, str, str]]:
    """File, line, kind and text of all that looks like a secret."""
    with transient_settings({"plugins_used": PLUGINS}):
        for name in names:
            for found in scan_file(str(root / name)):
                yield name, found.line_number, found.type, found.secret_value or ""
            text = (root / name).read_text(errors="replace")
            for key in PRIVATE_KEY.finditer(text):
                yield name, text.count("\n", 0, key.start()) + 1, "Private Key", key[0]


def main(root: Path) -> int:
    """Print what is no known example, and what is known in vain; 0 if there is neither."""
    names = files(root)
    used: set[str] = set()
    wrong = 0
    for name, line, kind, text in findings(root, names):
        known = [
            why
            for path, texts, why in KNOWN
            if re.fullmatch(path, name) and re.fullmatch(texts, text)
        ]
        used.update(known)
        if not known:
            wrong += 1
            # The beginning tells which one it is; the whole would then be in a log too.
            print(f"{name}:{line}: {kind}: {text[:4]}…")
    vain = [why for *_, why in KNOWN if why not in used] if root == ROOT else []
    for why in vain:
        print(f"tests/secret_scan.py: not found any more: {why}")
    print(f"{len(names)} files, {wrong} secrets")
    return 1 if wrong or vain else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT))
