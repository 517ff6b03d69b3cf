s = "  the sky   is blue "
assert " ".join(reversed(s.split())) == "blue is sky the"; print(s[::-1].title())
