"""The back-office: what its people see of their blocks, and the forms that call the operations.

It stands above all apps, as `omarty/api/` does: who may see a person depends on memberships, and
contacts may not know of those.
"""
