"""The methods of `POST /omartyapis/Create/`."""

from audit.models import Action
from buildings.models import HIGHEST_FLOOR, HIGHEST_NUMBER, LOWEST_FLOOR, LOWEST_NUMBER
from buildings.operations import register_apartment
from buildings.permissions import managed_block
from omarty.api.calls import Call, refusals_recorded
from omarty.api.fields import LATITUDE, LONGITUDE, Integer
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


@documented(
    "CreateApartment",
    about="A block's manager registers a unit.",
    fields=(FLOOR_NUM, APT_NUM, BLOCK_ID, APARTMENT_ID, LONGITUDE, LATITUDE),
    data={"Registered": "Apartment registered."},
    messages={
        "Not his block, or not its manager": (200, "User does not have permissions in this block."),
        "Number taken": (200, "Apartment already registered."),
        "floorNum empty": (200, "Please enter floorNum."),
        "floorNum malformed": (200, "Please enter a valid floorNum."),
        "aptNum empty": (200, "Please enter aptNum."),
        "aptNum malformed": (200, "Please enter a valid aptNum."),
        "Manages several blocks": (200, "Please enter blockId."),
        "blockId malformed": (200, "Please enter a valid blockId."),
        "apartmentId malformed": (200, "Please enter a valid apartmentId."),
        "longitude malformed": (200, "Please enter a valid longitude."),
        "latitude malformed": (200, "Please enter a valid latitude."),
        "Block pending": (200, "Block status is still Binding."),
        "Block banned": (200, "Block is Banned."),
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
    return "Apartment registered."
