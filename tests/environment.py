"""The settings for tests and checks, independent of the shell and of any `.env`.

As a pytest plugin (`-p tests.environment`) it sets them before Django reads them; as a program it
runs a command under them. `DATABASE_URL` stays if it is set: it says which database is tested.
"""

import os
import sys
from pathlib import Path

ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "omarty.settings",
    "SECRET_KEY": "secret-key-of-the-tests-Vb5Jw0kq7Yd2Lr9Xc4Tn8Hm1Zs6Pf3",
    "JWT_SIGNING_KEY": "signing-key-of-the-tests-q2Wd9Rk4Xv7Bn1Lz6Tc3Ym8Hj5Gp0",
    "JWT_FORMER_KEYS": "former-key-of-the-tests-Zp3Xm7Qa1Wc9Ve5Rb8Ty2Nu6Li4Ko0",
    "ALLOWED_HOSTS": os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,testserver"),
    # Static files directly from the apps; pytest-django switches DEBUG itself off all the same.
    "DEBUG": os.environ.get("DEBUG", "true"),
    "PROXIES": "0",
    "SECURITY_CONTACT": "",
    "BACKUP_DIRECTORY": "",
    "PHONE_REGION": "EG",
    "SECONDARY_CONTACTS_LIMIT": os.environ.get("SECONDARY_CONTACTS_LIMIT", "20"),
    "SIGN_IN_ATTEMPTS": "10",
    "SIGN_IN_PAUSE_MINUTES": "15",
}
os.environ.update(ENVIRONMENT)
os.environ.setdefault("DATABASE_URL", "sqlite:///build/tests.sqlite3")
(Path(__file__).parent.parent / "build").mkdir(exist_ok=True)

if __name__ == "__main__":
    os.execvp(sys.argv[1], sys.argv[1:])
