match {"a": [1, 2, 3]}:
    case {"a": [1, *rest]}:
        print(rest)
