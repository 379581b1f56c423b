"""Who may do what, in one table each for the app's calls, for tokens and for the back-office's pages.

test_rights.py asks for every cell. A method, an address, an action or a kind of token that is new
needs its line here: the tests say so.

How to read the tables. A head stands for who asks, a cell for what they are answered; no two letters
stand for two things.

CALLS, heads (CALLERS)                            CALLS, cells (ANSWERS)
  su superuser         bo board member              +  done; rows of CHANGES
  ma manager           ca cashier                   ro their role may not
  re resident          wa watchman                  bi block is pending ("binding")
  pa partner: a        ve vendor                    ba block is banned
     second resident   fo former resident           nr no relation to the block
  pe pending           fm former manager            un unit is not theirs
  bm banned member     pm pending manager           am membership is pending
  ou outsider          xm banned manager            ab membership is banned
  ne neighbour: of     pp pending person            ns no such session
     another block     bp banned person             wt the person waits to be activated
  mp, mb manager of a pending, a banned block       xx the person is banned

TOKENS has a line for each kind of token, and as cells the words of TOKEN_ANSWERS; "-": not asked.

PAGES has the heads of CALLS, and "no" for nobody. Its cells are two signs of SIGNS, GET and POST:
  p a page   + done   f a file   s sign in first   r another page   u as if there were no such row
  x 403      4 404    5 405      6 400             ! done, and answered oddly: never right
"""

from dataclasses import dataclass

# --- Who asks ------------------------------------------------------------------------------------

# The app's callers by the heads of their columns: sign-in name, and the block and unit that they
# call their own. Those below the line are not of the demo; `cast()` of test_rights.py makes them.
CALLERS = {
    "su": ("admin", 1, 2),
    "ma": ("manager", 1, 1),
    "re": ("resident", 1, 2),
    "pa": ("partner", 1, 2),
    "pe": ("pending", 1, 3),
    "bm": ("banned", 1, 3),
    "ou": ("outsider", 1, 2),
    "ne": ("neighbour", 2, 11),
    # Managers of a block that is pending, and of one that is banned.
    "mp": ("manager", 3, 21),
    "mb": ("manager", 4, 22),
    # ---
    "bo": ("board", 1, 4),
    "ca": ("cashier", 1, 4),
    "wa": ("watchman", 1, 4),
    "ve": ("vendor", 1, 4),
    "fo": ("former", 1, 4),
    "fm": ("former-manager", 1, 4),
    "pm": ("pending-manager", 1, 4),
    "xm": ("banned-manager", 1, 4),
    "pp": ("pending-person", 1, 4),
    "bp": ("banned-person", 1, 4),
}

# --- What the app may ask --------------------------------------------------------------------------

# What a cell stands for: the answer's status and message. "+" is success, and the line's tables change.
ANSWERS = {
    "ro": (200, "User does not have permissions in this block."),
    "bi": (200, "Block status is still Binding."),
    "ba": (200, "Block is Banned."),
    "nr": (401, "User doesn't have any relation to this block."),
    "un": (406, "Resident does not relate to this apartment."),
    "am": (200, "Apartment status is still binding."),
    "ab": (200, "Apartment is Banned."),
    "ns": (404, "Session Not Found."),
    "wt": (403, "This email Status is Binding, please wait until it is activated."),
    "xx": (403, "This email is Banned by Omarty Super Admin, please contact the administration."),
}

# Address, method, whose block and unit are named ("own", a "foreign" block's, "another" unit's in
# one's own block, "block" alone), and a cell for each caller.
CALLS = """
address       method          whose   su ma re pa pe bm ou ne mp mb bo ca wa ve fo fm pm xm pp bp
Create        CreateApartment own     ro +  ro ro ro ro ro +  bi ba ro ro ro ro ro ro ro ro wt xx
Create        CreateApartment block   ro +  ro ro ro ro ro +  bi ba ro ro ro ro ro ro ro ro wt xx
Create        CreateApartment another ro ro ro ro ro ro ro ro ro ro ro ro ro ro ro ro ro ro wt xx
Create        CreateApartment foreign ro ro ro ro ro ro ro ro ro ro ro ro ro ro ro ro ro ro wt xx
Update        AddContact      own     nr +  +  +  am ab nr +  bi ba +  +  +  +  nr nr am ab wt xx
Update        AddContact      another nr un un un un un nr un bi ba un un un un nr nr un un wt xx
Update        AddContact      foreign nr nr nr nr nr nr nr nr nr nr nr nr nr nr nr nr nr nr wt xx
Auth/Login    -               -       +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  wt xx
Auth/Refresh  -               -       +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  wt xx
Auth/Logout   -               -       +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  wt xx
Auth/Sessions -               -       +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  wt xx
Auth/EndSession -             own     +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  +  wt xx
Auth/EndSession -             foreign ns ns ns ns ns ns ns ns ns ns ns ns ns ns ns ns ns ns wt xx
"""

# What a success changes: rows of these tables, and of no other.
CHANGES = {
    "CreateApartment": {"buildings_apartment"},
    "AddContact": {"contacts_claim", "contacts_secondaryphone"},
    "Auth/Login": {"contacts_user", "contacts_appsession"},
    "Auth/Refresh": {"contacts_appsession"},
    "Auth/Logout": {"contacts_appsession"},
    "Auth/Sessions": set(),
    "Auth/EndSession": {"contacts_appsession"},
}

# --- Tokens ----------------------------------------------------------------------------------------

# What a cell of TOKENS stands for.
TOKEN_ANSWERS = {
    "+": (200, None),
    "none": (401, "Access token not found"),
    "empty": (406, "Please enter Data (refresh)"),
    "malformed": (401, "Wrong number of segments"),
    "signature": (401, "Signature verification failed"),
    "expired": (401, "Expired token"),
    "kind": (401, "Token is of the wrong kind"),
    "nobody": (401, "User not found"),
    "ended": (401, "Session has ended, please sign in again"),
    "spent": (401, "Token was used already"),
}

# Each kind of token, in the header at the addresses that ask for one, as a field at the others.
TOKENS = """
token              Create    Update    Auth/Sessions Auth/EndSession Auth/Refresh Auth/Logout
access             +         +         +             +               kind         kind
refresh            kind      kind      kind          kind            +            +
former-key         +         +         +             +               +            +
no-token           none      none      none          none            empty        empty
not-a-token        malformed malformed malformed     malformed       malformed    malformed
other-scheme       none      none      none          none            -            -
expired            expired   expired   expired       expired         expired      expired
former-key-expired expired   expired   expired       expired         expired      expired
another-key        signature signature signature     signature       signature    signature
the-pages-key      signature signature signature     signature       signature    signature
alg-none           signature signature signature     signature       signature    signature
other-algorithm    signature signature signature     signature       signature    signature
without-end        kind      kind      kind          kind            kind         kind
without-id         kind      kind      kind          kind            kind         kind
without-kind       kind      kind      kind          kind            kind         kind
without-person     kind      kind      kind          kind            kind         kind
of-nobody          nobody    nobody    nobody        nobody          nobody       nobody
of-no-number       kind      kind      kind          kind            kind         kind
former-stamp       ended     ended     ended         ended           ended        ended
without-session    ended     ended     ended         ended           ended        ended
ended-session      ended     ended     ended         ended           ended        ended
anothers-session   ended     ended     ended         ended           ended        ended
spent              -         -         -             -               spent        spent
"""

# --- The back-office ---------------------------------------------------------------------------------

# Who comes: the heads of the columns, and the sign-in name. `here` is block 1, `there` block 2.
COMERS = {
    "su": "admin",
    "ma": "manager",
    "bo": "board",
    "re": "resident",
    "fm": "former-manager",
    "ou": "outsider",
    "ne": "neighbour",
    "no": "",
}

# What a cell's two signs stand for: the first is what GET answers, the second a POST of SENT.
SIGNS = {
    "p": "a page (200); nothing changed",
    "+": "done: rows changed, or an entry says what was shown",
    "f": "a file",
    "s": "sign in first",
    "x": "403",
    "4": "404",
    "5": "405",
    "6": "400",
    "!": "done, with an answer that is neither a page nor a redirect: never right",
    "u": "as for an unknown id: back to the first page",
    "r": "a redirect to another page; nothing changed",
}

# `<kind>` in an address is a row of ROWS in test_rights.py that suits it; `!name` is a POST of the list
# that does so to that row, "!save" one that is typed into the list.
PAGES = """
address                                                         place su ma bo re fm ou ne no
/admin/                                                         -     pp pp pp ss ss ss pp ss
/admin/login/                                                   -     rp rp rp pp pp pp rp pp
/admin/logout/                                                  -     5+ 5+ 5+ rr rr rr 5+ rr
/admin/password_change/                                         -     p+ p+ p+ ss ss ss p+ ss
/admin/password_change/done/                                    -     p5 p5 p5 ss ss ss p5 ss
/admin/sessions/                                                -     pr pr pr ss ss ss pr ss
/admin/find/                                                    -     p5 p5 p5 ss ss ss p5 ss
/admin/login/code/                                              -     ss ss ss ss ss ss ss ss
/admin/second-factor/                                           -     pp pp pp ss ss ss pp ss
/admin/second-factor/required/                                  -     p+ xx xx ss ss ss xx ss
/admin/notices/                                                 -     p+ p+ xx ss ss ss p+ ss
/admin/jsi18n/                                                  -     p5 p5 p5 ss ss ss p5 ss
/admin/nowhere/                                                 -     44 44 44 ss ss ss 44 ss
/admin/buildings/                                               -     rr rr rr ss ss ss rr ss
/admin/buildings/quarantinedrow/                                -     rr rr rr rr rr rr rr rr
/admin/buildings/block/<block>/staircase/                       here  rr rr rr rr rr rr rr rr
/admin/buildings/block/<block>/staircase/                       there rr rr rr rr rr rr rr rr
/admin/contacts/user/<person>/mend/?contact=<secondary>         here  rr rr rr rr rr rr rr rr
/admin/contacts/user/<person>/mend/?contact=<secondary>         there rr rr rr rr rr rr rr rr
/admin/autocomplete/?app_label=buildings&model_name=membership&field_name=user -     p5 p5 p5 ss ss ss p5 ss
/admin/buildings/apartment/                                     -     pp pp pp ss ss ss pp ss
/admin/buildings/apartment/add/                                 here  p+ p+ xx ss ss ss pp ss
/admin/buildings/apartment/add/                                 there p+ pp xx ss ss ss p+ ss
/admin/buildings/apartment/<unit>/                              here  rr rr rr ss ss ss rr ss
/admin/buildings/apartment/<unit>/                              there rr rr rr ss ss ss rr ss
/admin/buildings/apartment/<unit>/change/                       here  p+ p+ px ss ss ss uu ss
/admin/buildings/apartment/<unit>/change/                       there p+ uu ux ss ss ss p+ ss
/admin/buildings/apartment/<unit>/history/                      here  rr rr rr ss ss ss rr ss
/admin/buildings/apartment/<unit>/history/                      there rr rr rr ss ss ss rr ss
/admin/buildings/apartment/<unit>/delete/                       here  xx xx xx ss ss ss xx ss
/admin/buildings/apartment/<unit>/delete/                       there xx xx xx ss ss ss xx ss
/admin/buildings/apartment/export/                              -     pf pf pf ss ss ss pf ss
/admin/buildings/apartment/residents/                           -     pf pf pf ss ss ss pf ss
/admin/buildings/apartment/import/                              here  p+ p+ xx ss ss ss pp ss
/admin/buildings/apartment/import/                              there p+ pp xx ss ss ss p+ ss
/admin/buildings/apartment/import/template/                     -     f5 f5 x5 ss ss ss f5 ss
/admin/buildings/apartment/!save                                here  p+ p+ px ss ss ss p6 ss
/admin/buildings/apartment/!save                                there p+ p6 px ss ss ss p+ ss
/admin/buildings/apartment/<unit>/move-in/                      here  p+ p+ xx ss ss ss uu ss
/admin/buildings/apartment/<unit>/move-in/                      there p+ uu uu ss ss ss p+ ss
/admin/buildings/apartment/<home>/everybody-out/                here  p+ p+ xx ss ss ss uu ss
/admin/buildings/apartment/<home>/everybody-out/                there p+ uu uu ss ss ss p+ ss
/admin/buildings/apartment/<unit>/merge/                        here  p+ p+ xx ss ss ss uu ss
/admin/buildings/apartment/<unit>/merge/                        there p+ uu uu ss ss ss p+ ss
/admin/buildings/apartment/<unit>/change-values/                here  p+ p+ xx ss ss ss uu ss
/admin/buildings/apartment/<unit>/change-values/                there p+ uu uu ss ss ss p+ ss
/admin/buildings/apartment/!change-values<unit>                 here  pp pp pp ss ss ss pr ss
/admin/buildings/apartment/!change-values<unit>                 there pp pr pp ss ss ss pp ss
/admin/buildings/apartment/<unit>/close/                        here  p+ p+ xx ss ss ss uu ss
/admin/buildings/apartment/<unit>/close/                        there p+ uu uu ss ss ss p+ ss
/admin/buildings/apartment/<retired>/reopen/                    here  p+ p+ xx ss ss ss uu ss
/admin/buildings/apartment/<retired>/reopen/                    there p+ uu uu ss ss ss p+ ss
/admin/buildings/membership/                                    -     pp pp pp ss ss ss pp ss
/admin/buildings/membership/add/                                -     xx xx xx ss ss ss xx ss
/admin/buildings/membership/<member>/                           here  rr rr rr ss ss ss rr ss
/admin/buildings/membership/<member>/                           there rr rr rr ss ss ss rr ss
/admin/buildings/membership/<member>/change/                    here  px px px ss ss ss ux ss
/admin/buildings/membership/<member>/change/                    there px ux ux ss ss ss px ss
/admin/buildings/membership/<member>/history/                   here  rr rr rr ss ss ss rr ss
/admin/buildings/membership/<member>/history/                   there rr rr rr ss ss ss rr ss
/admin/buildings/membership/<member>/delete/                    here  xx xx xx ss ss ss xx ss
/admin/buildings/membership/<member>/delete/                    there xx xx xx ss ss ss xx ss
/admin/buildings/membership/export/                             -     pf pf pf ss ss ss pf ss
/admin/buildings/membership/<asking>/approve/                   here  p+ p+ xx ss ss ss uu ss
/admin/buildings/membership/<asking>/approve/                   there p+ uu uu ss ss ss p+ ss
/admin/buildings/membership/<asking>/refuse/                    here  p+ p+ xx ss ss ss uu ss
/admin/buildings/membership/<asking>/refuse/                    there p+ uu uu ss ss ss p+ ss
/admin/buildings/membership/<member>/role/                      here  p+ p+ xx ss ss ss uu ss
/admin/buildings/membership/<member>/role/                      there p+ uu uu ss ss ss p+ ss
/admin/buildings/membership/<office>/hand-over/                 here  p+ p+ xx ss ss ss uu ss
/admin/buildings/membership/<office>/hand-over/                 there p+ uu uu ss ss ss p+ ss
/admin/buildings/membership/<member>/move-out/                  here  p+ p+ xx ss ss ss uu ss
/admin/buildings/membership/<member>/move-out/                  there p+ uu uu ss ss ss p+ ss
/admin/buildings/membership/<member>/ban/                       here  p+ p+ xx ss ss ss uu ss
/admin/buildings/membership/<member>/ban/                       there p+ uu uu ss ss ss p+ ss
/admin/buildings/membership/<barred>/readmit/                   here  p+ p+ xx ss ss ss uu ss
/admin/buildings/membership/<barred>/readmit/                   there p+ uu uu ss ss ss p+ ss
/admin/buildings/membership/!approve<asking>                    here  p+ p+ pp ss ss ss pr ss
/admin/buildings/membership/!approve<asking>                    there p+ pr pp ss ss ss p+ ss
/admin/buildings/membership/!refuse<asking>                     here  p+ p+ pp ss ss ss pr ss
/admin/buildings/membership/!refuse<asking>                     there p+ pr pp ss ss ss p+ ss
/admin/buildings/membership/!move-out<member>                   here  p+ p+ pp ss ss ss pr ss
/admin/buildings/membership/!move-out<member>                   there p+ pr pp ss ss ss p+ ss
/admin/buildings/membership/!ban<member>                        here  p+ p+ pp ss ss ss pr ss
/admin/buildings/membership/!ban<member>                        there p+ pr pp ss ss ss p+ ss
/admin/buildings/membership/!readmit<barred>                    here  p+ p+ pp ss ss ss pr ss
/admin/buildings/membership/!readmit<barred>                    there p+ pr pp ss ss ss p+ ss
/admin/contacts/user/                                           -     pp pp pp ss ss ss pp ss
/admin/contacts/user/add/                                       -     xx xx xx ss ss ss xx ss
/admin/contacts/user/<person>/                                  here  rr rr rr ss ss ss rr ss
/admin/contacts/user/<person>/                                  there rr rr rr ss ss ss rr ss
/admin/contacts/user/<person>/change/                           here  px px px ss ss ss ux ss
/admin/contacts/user/<person>/change/                           there px ux ux ss ss ss px ss
/admin/contacts/user/<person>/history/                          here  rr rr rr ss ss ss rr ss
/admin/contacts/user/<person>/history/                          there rr rr rr ss ss ss rr ss
/admin/contacts/user/<person>/delete/                           here  xx xx xx ss ss ss xx ss
/admin/contacts/user/<person>/delete/                           there xx xx xx ss ss ss xx ss
/admin/contacts/user/export/                                    -     pf pf pf ss ss ss pf ss
/admin/contacts/user/<person>/name/                             here  p+ p+ xx ss ss ss uu ss
/admin/contacts/user/<person>/name/                             there p+ uu uu ss ss ss p+ ss
/admin/contacts/user/<person>/add-contact/                      here  p+ p+ xx ss ss ss uu ss
/admin/contacts/user/<person>/add-contact/                      there p+ uu uu ss ss ss p+ ss
/admin/contacts/user/<person>/end-sessions/                     here  p+ p+ xx ss ss ss uu ss
/admin/contacts/user/<person>/end-sessions/                     there p+ uu uu ss ss ss p+ ss
/admin/contacts/user/<newcomer>/invite/                         here  p+ p+ xx ss ss ss uu ss
/admin/contacts/user/<newcomer>/invite/                         there p+ uu uu ss ss ss p+ ss
/admin/contacts/user/<newcomer>/send-invitation/                here  p+ p+ xx ss ss ss uu ss
/admin/contacts/user/<newcomer>/send-invitation/                there p+ uu uu ss ss ss p+ ss
/admin/contacts/user/<invited>/end-invitation/                  here  p+ p+ xx ss ss ss uu ss
/admin/contacts/user/<invited>/end-invitation/                  there p+ uu uu ss ss ss p+ ss
/admin/contacts/user/<waiting>/activate/                        here  p+ xx xx ss ss ss uu ss
/admin/contacts/user/<waiting>/activate/                        there p+ uu uu ss ss ss xx ss
/admin/contacts/user/<person>/suspend/                          here  p+ xx xx ss ss ss uu ss
/admin/contacts/user/<person>/suspend/                          there p+ uu uu ss ss ss xx ss
/admin/contacts/user/<suspended>/readmit/                       here  p+ xx xx ss ss ss uu ss
/admin/contacts/user/<suspended>/readmit/                       there p+ uu uu ss ss ss xx ss
/admin/contacts/user/<person>/unlock/                           here  p+ xx xx ss ss ss uu ss
/admin/contacts/user/<person>/unlock/                           there p+ uu uu ss ss ss xx ss
/admin/contacts/user/<guarded>/reset-second-factor/             here  p+ xx xx ss ss ss uu ss
/admin/contacts/user/<guarded>/reset-second-factor/             there p+ uu uu ss ss ss xx ss
/admin/contacts/user/!invite<newcomer>                          here  p+ p+ pp ss ss ss pr ss
/admin/contacts/user/!send-invitation<newcomer>                 here  p+ p+ pp ss ss ss pr ss
/admin/contacts/message/                                        -     pp xx xx ss ss ss xx ss
/admin/contacts/message/add/                                    -     xx xx xx ss ss ss xx ss
/admin/contacts/message/<failed>/                               here  rr rr rr ss ss ss rr ss
/admin/contacts/message/<failed>/                               there rr rr rr ss ss ss rr ss
/admin/contacts/message/<failed>/change/                        here  px xx xx ss ss ss xx ss
/admin/contacts/message/<failed>/change/                        there px xx xx ss ss ss xx ss
/admin/contacts/message/<failed>/history/                       here  rr rr rr ss ss ss rr ss
/admin/contacts/message/<failed>/history/                       there rr rr rr ss ss ss rr ss
/admin/contacts/message/<failed>/delete/                        here  xx xx xx ss ss ss xx ss
/admin/contacts/message/<failed>/delete/                        there xx xx xx ss ss ss xx ss
/admin/contacts/message/!send-again<failed>                     here  p+ xx xx ss ss ss xx ss
/admin/contacts/message/!send-again<failed>                     there p+ xx xx ss ss ss xx ss
/admin/contacts/message/<failed>/send-again/                    here  p+ uu uu ss ss ss uu ss
/admin/contacts/message/<failed>/send-again/                    there p+ uu uu ss ss ss uu ss
/admin/contacts/user/!invite<newcomer>                          there p+ pr pp ss ss ss p+ ss
/admin/contacts/user/!send-invitation<newcomer>                 there p+ pr pp ss ss ss p+ ss
/admin/contacts/user/<person>/reveal/                           here  p+ p+ xx ss ss ss uu ss
/admin/contacts/user/<person>/reveal/                           there p+ uu uu ss ss ss p+ ss
/admin/contacts/user/<person>/edit/?contact=<secondary>         here  p+ p+ xx ss ss ss uu ss
/admin/contacts/user/<person>/edit/?contact=<secondary>         there p+ uu uu ss ss ss p+ ss
/admin/contacts/user/<person>/hide/?contact=<secondary>         here  p+ p+ xx ss ss ss uu ss
/admin/contacts/user/<person>/hide/?contact=<secondary>         there p+ uu uu ss ss ss p+ ss
/admin/contacts/user/<person>/show/?contact=<hidden>            here  p+ p+ xx ss ss ss uu ss
/admin/contacts/user/<person>/show/?contact=<hidden>            there p+ uu uu ss ss ss p+ ss
/admin/contacts/user/<person>/promote/?contact=<secondary>      here  p+ p+ xx ss ss ss uu ss
/admin/contacts/user/<person>/promote/?contact=<secondary>      there p+ uu uu ss ss ss p+ ss
/admin/contacts/user/<person>/remove/?contact=<secondary>       here  p+ p+ xx ss ss ss uu ss
/admin/contacts/user/<person>/remove/?contact=<secondary>       there p+ uu uu ss ss ss p+ ss
/admin/buildings/block/                                         -     pp pp pp ss ss ss pp ss
/admin/buildings/block/add/                                     -     p+ xx xx ss ss ss xx ss
/admin/buildings/block/<block>/                                 here  rr rr rr ss ss ss rr ss
/admin/buildings/block/<block>/                                 there rr rr rr ss ss ss rr ss
/admin/buildings/block/<block>/change/                          here  p+ px px ss ss ss ux ss
/admin/buildings/block/<block>/change/                          there p+ ux ux ss ss ss px ss
/admin/buildings/block/<block>/history/                         here  rr rr rr ss ss ss rr ss
/admin/buildings/block/<block>/history/                         there rr rr rr ss ss ss rr ss
/admin/buildings/block/<block>/delete/                          here  xx xx xx ss ss ss xx ss
/admin/buildings/block/<block>/delete/                          there xx xx xx ss ss ss xx ss
/admin/buildings/block/export/                                  -     pf pf pf ss ss ss pf ss
/admin/buildings/block/<block>/appoint/                         here  p+ p+ xx ss ss ss uu ss
/admin/buildings/block/<block>/appoint/                         there p+ uu uu ss ss ss p+ ss
/admin/buildings/block/<block>/add-floors/                      here  p+ p+ xx ss ss ss uu ss
/admin/buildings/block/<block>/add-floors/                      there p+ uu uu ss ss ss p+ ss
/admin/buildings/block/<block>/invite/                          here  p+ p+ xx ss ss ss uu ss
/admin/buildings/block/<block>/invite/                          there p+ uu uu ss ss ss p+ ss
/admin/buildings/building/                                      -     pp pp pp ss ss ss pp ss
/admin/buildings/building/add/                                  -     p+ xx xx ss ss ss xx ss
/admin/buildings/building/<building>/                           here  rr rr rr ss ss ss rr ss
/admin/buildings/building/<building>/                           there rr rr rr ss ss ss rr ss
/admin/buildings/building/<building>/change/                    here  p+ px px ss ss ss ux ss
/admin/buildings/building/<building>/change/                    there p+ ux ux ss ss ss px ss
/admin/buildings/building/<building>/history/                   here  rr rr rr ss ss ss rr ss
/admin/buildings/building/<building>/history/                   there rr rr rr ss ss ss rr ss
/admin/buildings/building/<building>/delete/                    here  xx xx xx ss ss ss xx ss
/admin/buildings/building/<building>/delete/                    there xx xx xx ss ss ss xx ss
/admin/audit/entry/                                             -     pp pp pp ss ss ss pp ss
/admin/audit/entry/add/                                         -     xx xx xx ss ss ss xx ss
/admin/audit/entry/<entry>/                                     here  rr rr rr ss ss ss rr ss
/admin/audit/entry/<entry>/                                     there rr rr rr ss ss ss rr ss
/admin/audit/entry/<entry>/change/                              here  px px px ss ss ss ux ss
/admin/audit/entry/<entry>/change/                              there px ux ux ss ss ss px ss
/admin/audit/entry/<edited>/undo/                               here  p+ p+ xx ss ss ss uu ss
/admin/audit/entry/<edited>/undo/                               there p+ uu uu ss ss ss p+ ss
/admin/audit/entry/archives/                                    -     p5 x5 x5 ss ss ss x5 ss
/admin/audit/entry/<entry>/history/                             here  rr rr rr ss ss ss rr ss
/admin/audit/entry/<entry>/history/                             there rr rr rr ss ss ss rr ss
/admin/audit/entry/<entry>/delete/                              here  xx xx xx ss ss ss xx ss
/admin/audit/entry/<entry>/delete/                              there xx xx xx ss ss ss xx ss
/admin/audit/entry/export/                                      -     pf pf pf ss ss ss pf ss
/admin/legacy/quarantinedrow/                                   -     pp xx xx ss ss ss xx ss
/admin/legacy/quarantinedrow/add/                               -     xx xx xx ss ss ss xx ss
/admin/legacy/quarantinedrow/<quarantined>/                     here  rr rr rr ss ss ss rr ss
/admin/legacy/quarantinedrow/<quarantined>/                     there rr rr rr ss ss ss rr ss
/admin/legacy/quarantinedrow/<quarantined>/change/              here  px xx xx ss ss ss xx ss
/admin/legacy/quarantinedrow/<quarantined>/change/              there px xx xx ss ss ss xx ss
/admin/legacy/quarantinedrow/<quarantined>/history/             here  rr rr rr ss ss ss rr ss
/admin/legacy/quarantinedrow/<quarantined>/history/             there rr rr rr ss ss ss rr ss
/admin/legacy/quarantinedrow/<quarantined>/delete/              here  xx xx xx ss ss ss xx ss
/admin/legacy/quarantinedrow/<quarantined>/delete/              there xx xx xx ss ss ss xx ss
/admin/legacy/quarantinedrow/!done<quarantined>                 here  p+ xx xx ss ss ss xx ss
/admin/legacy/quarantinedrow/!done<quarantined>                 there p+ xx xx ss ss ss xx ss
/admin/legacy/quarantinedrow/<quarantined>/done/                here  p+ uu uu ss ss ss uu ss
/admin/legacy/quarantinedrow/<quarantined>/done/                there p+ uu uu ss ss ss uu ss
/admin/legacy/quarantinedrow/<dealt>/reopen/                    here  p+ uu uu ss ss ss uu ss
/admin/legacy/quarantinedrow/<dealt>/reopen/                    there p+ uu uu ss ss ss uu ss
/                                                               -     rr rr rr rr rr rr rr rr
/invitation/nowhere/                                            -     44 44 44 44 44 44 44 44
/contact-change/nowhere/                                        -     44 44 44 44 44 44 44 44
/forgotten/                                                     -     pp pp pp pp pp pp pp pp
/forgotten/nowhere/                                             -     rr rr rr rr rr rr rr rr
/language/                                                      -     rr rr rr rr rr rr rr rr
/healthz                                                        -     p5 p5 p5 p5 p5 p5 p5 p5
/.well-known/security.txt                                       -     45 45 45 45 45 45 45 45
/readyz                                                         -     p5 p5 p5 p5 p5 p5 p5 p5
/omartyapis                                                     -     44 44 44 44 44 44 44 44
/omartyapis/                                                    -     44 44 44 44 44 44 44 44
/omartyapis/schema/                                             -     p5 p5 p5 p5 p5 p5 p5 p5
/omartyapis/docs/                                               -     p5 p5 p5 p5 p5 p5 p5 p5
"""


# What is typed into the form of an address besides what it shows, for the POSTs.
SENT = {
    "/admin/login/": {"username": "resident@example.org", "password": "wrong"},
    "/admin/password_change/": {
        "old_password": "omarty-demo",
        "new_password1": "Palm-Gardens-77",
        "new_password2": "Palm-Gardens-77",
    },
    "/admin/buildings/apartment/add/": {
        "block": "<block>",
        "number": "900",
        "floor": "1",
        "occupancy": "vacant",
    },
    "/admin/buildings/apartment/import/": {"import_file": "block id,number\n<block>,900"},
    "/admin/buildings/apartment/<unit>/change/": {"name": "Other"},
    "/admin/buildings/apartment/<unit>/move-in/": {
        "name": "Nora",
        "phone": "01055599999",
        "day": "2026-01-01",
    },
    "/admin/buildings/apartment/<unit>/merge/": {"into": "<other>"},
    "/admin/buildings/apartment/<unit>/change-values/": {"floor": "9"},
    "/admin/buildings/membership/<asking>/refuse/": {"reason": "why"},
    "/admin/buildings/membership/<member>/ban/": {"reason": "why"},
    "/admin/buildings/membership/<member>/role/": {"role": "cashier"},
    "/admin/buildings/membership/<office>/hand-over/": {
        "to": "<member>",
        "ends": "",
        "reason": "why",
    },
    "/admin/contacts/user/<person>/name/": {"name": "Other"},
    "/admin/contacts/user/<person>/add-contact/": {"kind": "phone", "typed": "01055599999"},
    "/admin/contacts/user/<person>/edit/": {"typed": "01055599999"},
    "/admin/contacts/user/<person>/end-sessions/": {"reason": "why"},
    "/admin/contacts/user/<person>/reveal/": {"reason": "why"},
    "/admin/contacts/user/<waiting>/activate/": {"reason": "why"},
    "/admin/contacts/user/<guarded>/reset-second-factor/": {"reason": "why"},
    "/admin/second-factor/required/": {"required_of": "superusers", "reason": "why"},
    "/admin/contacts/user/<person>/suspend/": {"reason": "why"},
    "/admin/contacts/user/<suspended>/readmit/": {"reason": "why"},
    "/admin/sessions/": {"session": "anothers"},
    "/admin/notices/": {"choice": "daily"},
    "/admin/contacts/user/<person>/show/": {"reason": "why"},
    "/admin/buildings/block/<block>/change/": {"name": "Other"},
    "/admin/buildings/block/<block>/appoint/": {"name": "Nora", "phone": "01055599999"},
    "/admin/buildings/block/<block>/add-floors/": {
        "lowest": "50",
        "highest": "51",
        "per_floor": "2",
        "numbering": "by_floor",
    },
    "/admin/buildings/block/add/": {"building": "1", "number": "77", "status": "active"},
    "/admin/buildings/building/<building>/change/": {"name_en": "Other"},
    "/admin/buildings/building/add/": {"name_en": "Third Gardens"},
    "/language/": {"language": "ar"},
    "/admin/buildings/apartment/export/": {"format": "csv"},
    "/admin/buildings/apartment/residents/": {"format": "csv"},
    "/admin/buildings/membership/export/": {"format": "csv"},
    "/admin/contacts/user/export/": {"format": "csv"},
    "/admin/buildings/block/export/": {"format": "csv"},
    "/admin/audit/entry/export/": {"format": "csv"},
    "/admin/audit/entry/<edited>/undo/": {"reason": "why"},
}


@dataclass(frozen=True)
class Line:
    """A line of a table: its first words, and its cells by the heads of their columns."""

    names: tuple[str, ...]
    cells: dict[str, str]


def lines(table: str, names: int) -> list[Line]:
    """The lines of a table whose first `names` columns are no cells."""
    head, *rows = (row.split() for row in table.strip().splitlines())
    assert all(len(row) == len(head) for row in rows), "a line of tests/rights.py lacks a cell"
    return [
        Line(tuple(row[:names]), dict(zip(head[names:], row[names:], strict=True))) for row in rows
    ]
