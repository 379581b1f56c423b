"""The methods of `POST /omartyapis/Create/`."""

from audit.models import Action
from buildings.models import HIGHEST_FLOOR, HIGHEST_NUMBER, LOWEST_FLOOR, LOWEST_NUMBER
from buildings.operations import register_apartment
from buildings.permissions import WhyAccessRefused, managed_block
from omarty.api.calls import Call, refusals_recorded
from omarty.api.envelopes import BLOCK_ID_NEEDED, NUMBER_TAKEN, access_refusals
from omarty.api.fields import LATITUDE, LONGITUDE, Integer, refusals_of
from omarty.api.schema import documented

FLOOR_NUM = Integer(
    "floorNum",
    LOWEST_FLOOR,
    HIGHEST_FLOOR,
    required=True,
    about="The new unit's floor; 0 is the ground floor.",
    example=1,
)
APT_NUM = Integer(
    "aptNum",
    LOWEST_NUMBER,
    HIGHEST_NUMBER,
    required=True,
    about="The new unit's number, unique in its block.",
    example=101,
)
BLOCK_ID = Integer(
    "blockId", about="The block; may be left out by who manages just one.", example=1
)
APARTMENT_ID = Integer("apartmentId", about="The manager's own unit in that block.", example=1)

REGISTERED = "Apartment registered."


@documented(
    "CreateApartment",
    about="A block's manager registers a unit.",
    fields=(FLOOR_NUM, APT_NUM, BLOCK_ID, APARTMENT_ID, LONGITUDE, LATITUDE),
    data={"Registered": REGISTERED},
    messages={
        **access_refusals(WhyAccessRefused.NOT_MANAGER),
        "Number taken": NUMBER_TAKEN,
        **refusals_of(FLOOR_NUM, APT_NUM),
        "Manages several blocks": BLOCK_ID_NEEDED,
        **refusals_of(BLOCK_ID, APARTMENT_ID, LONGITUDE, LATITUDE),
        **access_refusals(WhyAccessRefused.BLOCK_PENDING, WhyAccessRefused.BLOCK_BANNED),
    },
)
def create_apartment(call: Call) -> str:
    """Rows 1 to 7 of contract/answers.md, CreateApartment, in their order."""
    floor = FLOOR_NUM.read(call.data)
    number = APT_NUM.read(call.data)
    block_id = BLOCK_ID.read(call.data)
    apartment_id = APARTMENT_ID.read(call.data)
    origin = call.origin()
    with refusals_recorded(origin, Action.APARTMENT_REGISTERED):
        block = managed_block(call.who, block_id=block_id, apartment_id=apartment_id)
    register_apartment(origin=origin, block=block, number=number, floor=floor)
    return REGISTERED
