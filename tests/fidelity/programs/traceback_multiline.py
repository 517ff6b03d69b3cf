result = (
    1 +
    undefined_name(
        2,
        3,
    )
)
