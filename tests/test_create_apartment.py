def test_a_manager_registers_a_unit(manager):
    assert manager.create(floorNum=1, aptNum=101, blockId=1) == {
        "status": 200,
        "data": "Apartment registered.",
    }


def test_committed(manager, commits):
    assert manager.create(floorNum=1, aptNum=101, blockId=1) == {
        "status": 200,
        "data": "Apartment registered.",
    }


def test_committed2(manager, commits):
    assert manager.create(floorNum=1, aptNum=101, blockId=1) == {
        "status": 200,
        "data": "Apartment registered.",
    }
