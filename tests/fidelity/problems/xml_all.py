import xml.etree.ElementTree as E
r = E.fromstring("<r><a n='1'>x</a><a n='2'/><b>t</b></r>"); assert [a.get("n") for a in r.iter("a")] == ["1", "2"]
E.SubElement(r, "c").text = "<&>"; print(E.tostring(r, encoding="unicode"))
