"""The ground floor: values, units, money, errors and ports; standard library only, no I/O."""
