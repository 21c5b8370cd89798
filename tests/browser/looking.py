"""What is looked at on a page as it stands: faults of access, both schemes, both widths, the keys.

RGAA, WCAG 2.2 AA: axe-core finds nothing (contrast, names, landmarks, headings), nothing runs past
the edge of 320 pixels (1.4.10), the keyboard comes by every control, in order, sees where it is and
gets out at the end (2.1.1, 2.1.2, 2.4.3, 2.4.7), the skip link first (2.4.1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from tests.browser.browsers import Album

Look: TypeAlias = tuple[dict[str, int], str]
"""Size of a window, and scheme."""
WIDE: Final = {"width": 1280, "height": 900}
NARROW: Final = {"width": 320, "height": 640}
BOTH: Final = ((WIDE, "light"), (NARROW, "dark"))
"""Both widths and both schemes, in two looks; each leaves a picture."""
ALL: Final = (*BOTH, (WIDE, "dark"), (NARROW, "light"))
"""Each width in each scheme."""
_MOST_STOPS: Final = 600

_CONTROLS: Final = """() => {
  const shown = one => one.checkVisibility({visibilityProperty: true})
    && !one.closest('details:not([open]) > :not(summary:first-of-type)');
  const groups = new Set();
  const found = [];
  for (const one of document.querySelectorAll(
      'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')) {
    if (one.disabled || !shown(one)) continue;
    if (one.type === 'radio') {
      const group = (one.form?.action ?? '') + ' ' + one.name;
      if (groups.has(group)) continue;
      groups.add(group);
    }
    found.push(one);
  }
  window.controlsHere = found;
  document.body.tabIndex = -1;
  document.body.focus();  // the first stop is the page's first, wherever a link has led
  document.body.removeAttribute('tabindex');
  window.scrollTo(0, 0);
  return found.length;
}"""
"""Finds what the keyboard must come by: of radio buttons, one of each group."""

_STOP: Final = """() => {
  const one = document.activeElement;
  if (one === null || one === document.body) return null;
  const same = other => other === one || (other.type === 'radio' && one.type === 'radio'
    && other.name === one.name && other.form === one.form);
  const {left, right, top, bottom} = one.getBoundingClientRect();
  const style = getComputedStyle(one);
  return {
    place: window.controlsHere.findIndex(same),
    scrolls: one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight,
    outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    inside: right > 0 && left < innerWidth && bottom > 0 && top < innerHeight,
    says: (one.outerHTML ?? '').slice(0, 120),
  };
}"""
"""Where the keyboard is."""

_CUT: Final = """() => [...document.querySelectorAll('main *, header *, footer *')].filter(one => {
  if (!one.checkVisibility({visibilityProperty: true}) || one.closest('.unseen, .skip, thead'))
    return false;
  const {left, right} = one.getBoundingClientRect();
  const scroller = one.closest('.wide, .scroll, .signed');
  const edge = document.documentElement.clientWidth + 1;
  return !scroller && right > left && (right > edge || left < -1);
}).map(one => one.outerHTML.slice(0, 120))"""
"""What is cut at an edge, but for what scrolls by itself."""


class Looking:
    """Looks at pages of one browser, and keeps their pictures.

    seen: kinds of pages that were looked at, where each is one time only.
    """

    def __init__(
        self,
        axe: Callable[[Any], Any],
        album: Album,
        looks: Sequence[Look] = ALL,
        seen: set[str] | None = None,
    ) -> None:
        self._axe, self._album, self._looks = axe, album, looks
        self.seen = set() if seen is None else seen

    def at(self, page: Any, title: str, *, keys: bool = True) -> None:
        """Look at a page as it stands, in each look; its window and scheme are left as found.

        keys: go through it by the keyboard too; not while a page may change by itself.
        """
        before = page.viewport_size
        for size, scheme in self._looks:
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            named = f"{size['width']} {scheme} {title}"
            if (size, scheme) in BOTH:
                self._album.take(page, named)
            found = self._axe(page)
            assert found.violations_count == 0, f"{named}\n{found.generate_report()}"
            assert len(found.response["passes"]) > 10, named
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], named
            assert page.evaluate(_CUT) == [], named
        if keys:
            walked(page, title)
        page.set_viewport_size(before)
        page.emulate_media(color_scheme="null")


def walked(page: Any, title: str) -> None:
    """Go through a page by the Tab key alone, from its first stop until it lets go."""
    expected = page.evaluate(_CONTROLS)
    skips = page.evaluate("window.controlsHere[0]?.matches('a.skip') ?? false")
    assert skips, (title, "no skip link first")
    came_by: list[int] = []
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(_STOP)
        if stop is None or (came_by[1:] and stop["place"] == came_by[0]):
            break  # let go, to begin again
        anew = came_by[-1:] != [stop["place"]]  # a field of a date has several stops within
        assert stop["outlined"] or not anew, (title, "no focus is seen", stop["says"])
        assert stop["inside"], (title, "focus is out of sight", stop["says"])
        if stop["place"] < 0:
            assert stop["scrolls"], (title, "stops at what is no control", stop["says"])
        elif anew:
            came_by.append(stop["place"])
    else:
        raise AssertionError((title, "the keyboard does not get out"))
    assert came_by == list(range(expected)), (title, "not in order, or not all", came_by)
    page.evaluate("document.activeElement?.blur()")
