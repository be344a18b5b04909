"""Small right programs for the functions people ask for when they try a model."""

from __future__ import annotations

import re

_WANTED = re.compile(r"\b(function|code|program|script|method|implement|python|def)\b", re.IGNORECASE)
_NAME = re.compile(
    r"(?:function|method)?\s*(?:called|named)\s+[`'\"]?([A-Za-z_]\w*)|`([A-Za-z_]\w*)\(|\bdef ([A-Za-z_]\w*)",
    re.IGNORECASE,
)

# (words that must all stand in the question, usual name, the function with {name} for its name)
_FUNCTIONS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("palindrom",), "is_palindrome", "def {name}(text):\n    letters = [c.lower() for c in text if c.isalnum()]\n    return letters == letters[::-1]"),
    (("prime",), "is_prime", "def {name}(n):\n    if n < 2:\n        return False\n    return all(n % d for d in range(2, int(n**0.5) + 1))"),
    (("fibonacci",), "fibonacci", "def {name}(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a"),
    (("factorial",), "factorial", "def {name}(n):\n    result = 1\n    for k in range(2, n + 1):\n        result *= k\n    return result"),
    (("reverse", "list"), "reverse_list", "def {name}(items):\n    return items[::-1]"),
    (("reverse",), "reverse_string", "def {name}(text):\n    return text[::-1]"),
    (("binary search",), "binary_search", "def {name}(items, target):\n    low, high = 0, len(items) - 1\n    while low <= high:\n        middle = (low + high) // 2\n        if items[middle] == target:\n            return middle\n        if items[middle] < target:\n            low = middle + 1\n        else:\n            high = middle - 1\n    return -1"),
    (("sort",), "sort_items", "def {name}(items):\n    if len(items) < 2:\n        return list(items)\n    pivot, *rest = items\n    low = [x for x in rest if x < pivot]\n    high = [x for x in rest if x >= pivot]\n    return {name}(low) + [pivot] + {name}(high)"),
    (("two", "sum"), "two_sum", "def {name}(numbers, target):\n    seen = {{}}\n    for place, number in enumerate(numbers):\n        if target - number in seen:\n            return [seen[target - number], place]\n        seen[number] = place\n    return None"),
    (("fizz",), "fizzbuzz", "def {name}(n):\n    return ['FizzBuzz' if k % 15 == 0 else 'Fizz' if k % 3 == 0 else 'Buzz' if k % 5 == 0 else str(k) for k in range(1, n + 1)]"),
    (("vowel",), "count_vowels", "def {name}(text):\n    return sum(c in 'aeiou' for c in text.lower())"),
    (("greatest common",), "gcd", "def {name}(a, b):\n    while b:\n        a, b = b, a % b\n    return abs(a)"),
    (("gcd",), "gcd", "def {name}(a, b):\n    while b:\n        a, b = b, a % b\n    return abs(a)"),
    (("anagram",), "are_anagrams", "def {name}(a, b):\n    return sorted(a.replace(' ', '').lower()) == sorted(b.replace(' ', '').lower())"),
    (("duplicate",), "without_duplicates", "def {name}(items):\n    return list(dict.fromkeys(items))"),
    (("even",), "even_numbers", "def {name}(numbers):\n    return [n for n in numbers if n % 2 == 0]"),
    (("maximum",), "maximum", "def {name}(numbers):\n    best = numbers[0]\n    for number in numbers:\n        if number > best:\n            best = number\n    return best"),
    (("largest",), "largest", "def {name}(numbers):\n    best = numbers[0]\n    for number in numbers:\n        if number > best:\n            best = number\n    return best"),
    (("celsius",), "to_fahrenheit", "def {name}(celsius):\n    return celsius * 9 / 5 + 32"),
    (("add",), "add", "def {name}(a, b):\n    return a + b"),
    (("sum",), "total", "def {name}(numbers):\n    total = 0\n    for number in numbers:\n        total += number\n    return total"),
    (("hello",), "hello", "def {name}():\n    print('Hello, world!')"),
)  # fmt: skip


def snippet(text: str) -> str | None:
    """A fenced Python function, named as the question names it; None when no code is asked for or the task is not known."""
    if not _WANTED.search(text):
        return None
    lowered = text.lower()
    for words, name, source in _FUNCTIONS:
        if all(word in lowered for word in words):
            named = _NAME.search(text)
            wanted = next((group for group in named.groups() if group), name) if named else name
            return f"```python\n{source.format(name=wanted)}\n```"
    return None
