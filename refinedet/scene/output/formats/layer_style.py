"""Style of a layer of ships for QGIS (QML) and other programs (SLD), by the classes of `looks.py`. Pure."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from refinedet.scene.output.formats.looks import Look, looks
from refinedet.scene.output.formats.xml import add, document

_QGIS = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_LINE_MM, _MARK_MM = "0.5", "1.6"
"""Width of an outline, and of the mark at its centre, which shows a ship whose outline is smaller than a pixel."""
_LINE_PX, _MARK_PX, _DASH_PX = "2", "6", "4 2"


def qml(*, ais: bool) -> str:
    """Style for QGIS: a category for each class; `ais`: of a layer with columns of AIS."""
    root = Element("qgis", {"version": "3.22.0", "styleCategories": "Symbology"})
    renderer = add(root, "renderer-v2", type="categorizedSymbol", attr=_expression(looks(ais=ais)), symbollevels="0")
    categories, symbols = add(renderer, "categories"), add(renderer, "symbols")
    for number, look in enumerate(looks(ais=ais)):
        add(categories, "category", value=look.name, label=look.text, symbol=f"{number}", render="true", type="string")
        _symbol(symbols, number, look)
    return document(root, _QGIS)


def sld(layer: str, *, ais: bool) -> str:
    """Style by the standard of the OGC (SLD 1.1) for a layer of that name, with a rule for each class."""
    root = Element("StyledLayerDescriptor", {"version": "1.1.0", "xmlns": "http://www.opengis.net/sld"})
    root.attrib |= {"xmlns:se": "http://www.opengis.net/se", "xmlns:ogc": "http://www.opengis.net/ogc"}
    named = add(root, "NamedLayer")
    add(named, "se:Name", layer)
    style = add(named, "UserStyle")
    add(style, "se:Name", "ships")
    rules = add(style, "se:FeatureTypeStyle")
    for number, look in enumerate(looks(ais=ais)):
        rule = add(rules, "se:Rule")
        add(rule, "se:Name", look.name)
        add(add(rule, "se:Description"), "se:Title", look.text)
        _filter(rule, looks(ais=ais)[: number + 1])
        _symbolizers(rule, look)
    return document(root, _XML)


def _expression(classes: tuple[Look, ...]) -> str:
    """Expression of QGIS for the name of the class of a ship."""
    *first, last = classes
    cases = " ".join(f"WHEN {_condition(look)} THEN '{look.name}'" for look in first)
    return f"CASE {cases} ELSE '{last.name}' END"


def _condition(look: Look) -> str:
    if look.flags:
        return f"regexp_match(coalesce(\"flags\", ''), '(^|;)({'|'.join(look.flags)})(;|$)') > 0"
    if look.ais is not None:
        return f"\"ais\" = '{look.ais}'"
    return f'"score" >= {look.score_min}'


def _symbol(symbols: Element, number: int, look: Look) -> None:
    """Symbol of QGIS: an outline without filling, and a mark at its centre."""
    colour = ",".join(str(int(look.colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"
    symbol = add(symbols, "symbol", type="fill", name=f"{number}", alpha="1", clip_to_extent="1", force_rhr="0")
    line = {"color": colour, "outline_color": colour, "outline_style": "dash" if look.dashed else "solid"}
    _properties(symbol, "SimpleFill", {"style": "no", **line, "outline_width": _LINE_MM, "outline_width_unit": "MM"})
    centre = _properties(symbol, "CentroidFill", {"point_on_surface": "0", "point_on_all_parts": "0"})
    mark = add(centre, "symbol", type="marker", name=f"@{number}@1", alpha="1", clip_to_extent="1", force_rhr="0")
    dot = {"name": "circle", "color": colour, "outline_style": "no", "size": _MARK_MM, "size_unit": "MM"}
    _properties(mark, "SimpleMarker", dot)


def _properties(symbol: Element, kind: str, values: dict[str, str]) -> Element:
    """Add a layer of a symbol; its values are written twice, for QGIS from 3.26 on and for older versions."""
    layer = add(symbol, "layer", **{"class": kind, "enabled": "1", "locked": "0", "pass": "0"})
    options = add(layer, "Option", type="Map")
    for name, value in values.items():
        add(options, "Option", type="QString", name=name, value=value)
    for name, value in values.items():
        add(layer, "prop", k=name, v=value)
    return layer


def _filter(rule: Element, classes: tuple[Look, ...]) -> None:
    """Add the filter of the last of these classes: its condition holds, and none of the earlier ones."""
    *before, own = classes
    conditional = bool(own.flags or own.ais is not None or own.score_min is not None)
    filtered = add(rule, "ogc:Filter")
    conditions = add(filtered, "ogc:And") if len(before) + conditional > 1 else filtered
    for look in before:
        _operator(add(conditions, "ogc:Not"), look)
    if conditional:
        _operator(conditions, own)


def _operator(parent: Element, look: Look) -> None:
    if look.flags:
        either = add(parent, "ogc:Or")
        for flag in look.flags:
            like = add(either, "ogc:PropertyIsLike", wildCard="*", singleChar="?", escapeChar="!")
            add(like, "ogc:PropertyName", "flags")
            add(like, "ogc:Literal", f"*{flag}*")
        return
    name, test, value = (
        ("ais", "ogc:PropertyIsEqualTo", str(look.ais))
        if look.ais is not None
        else ("score", "ogc:PropertyIsGreaterThanOrEqualTo", str(look.score_min))
    )
    operator = add(parent, test)
    add(operator, "ogc:PropertyName", name)
    add(operator, "ogc:Literal", value)


def _symbolizers(rule: Element, look: Look) -> None:
    stroke = add(add(rule, "se:PolygonSymbolizer"), "se:Stroke")
    add(stroke, "se:SvgParameter", look.colour, name="stroke")
    add(stroke, "se:SvgParameter", _LINE_PX, name="stroke-width")
    if look.dashed:
        add(stroke, "se:SvgParameter", _DASH_PX, name="stroke-dasharray")
    point = add(rule, "se:PointSymbolizer")
    centroid = add(add(point, "se:Geometry"), "ogc:Function", name="centroid")
    add(centroid, "ogc:PropertyName", "geom")
    graphic = add(point, "se:Graphic")
    mark = add(graphic, "se:Mark")
    add(mark, "se:WellKnownName", "circle")
    add(add(mark, "se:Fill"), "se:SvgParameter", look.colour, name="fill")
    add(graphic, "se:Size", _MARK_PX)
