print("grüße")
