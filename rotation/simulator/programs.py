"""Small right programs for the functions people ask for when they try a model. They are quoted, never run."""

from __future__ import annotations


def is_palindrome(text: str) -> bool:
    letters = [c.lower() for c in text if c.isalnum()]
    return letters == letters[::-1]


def is_prime(n: int) -> bool:
    if n < 2:
        return False
    return all(n % d for d in range(2, int(n**0.5) + 1))


def fibonacci(n: int) -> int:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def factorial(n: int) -> int:
    result = 1
    for k in range(2, n + 1):
        result *= k
    return result


def reverse_list(items: list[int]) -> list[int]:
    return items[::-1]


def reverse_string(text: str) -> str:
    return text[::-1]


def binary_search(items: list[int], target: int) -> int:
    low, high = 0, len(items) - 1
    while low <= high:
        middle = (low + high) // 2
        if items[middle] == target:
            return middle
        if items[middle] < target:
            low = middle + 1
        else:
            high = middle - 1
    return -1


def sort_items(items: list[int]) -> list[int]:
    if len(items) < 2:
        return list(items)
    pivot, *rest = items
    low = [x for x in rest if x < pivot]
    high = [x for x in rest if x >= pivot]
    return [*sort_items(low), pivot, *sort_items(high)]


def two_sum(numbers: list[int], target: int) -> list[int] | None:
    seen: dict[int, int] = {}
    for place, number in enumerate(numbers):
        if target - number in seen:
            return [seen[target - number], place]
        seen[number] = place
    return None


def fizzbuzz(n: int) -> list[str]:
    return ["Fizz" * (k % 3 == 0) + "Buzz" * (k % 5 == 0) or str(k) for k in range(1, n + 1)]


def count_vowels(text: str) -> int:
    return sum(c in "aeiou" for c in text.lower())


def gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return abs(a)


def are_anagrams(a: str, b: str) -> bool:
    return sorted(a.replace(" ", "").lower()) == sorted(b.replace(" ", "").lower())


def without_duplicates(items: list[int]) -> list[int]:
    return list(dict.fromkeys(items))


def even_numbers(numbers: list[int]) -> list[int]:
    return [n for n in numbers if n % 2 == 0]


def largest(numbers: list[int]) -> int:
    best = numbers[0]
    for number in numbers:
        best = max(best, number)
    return best


def to_fahrenheit(celsius: float) -> float:
    return celsius * 9 / 5 + 32


def total(numbers: list[int]) -> int:
    result = 0
    for number in numbers:
        result += number
    return result


def add(a: int, b: int) -> int:
    return a + b


def hello() -> str:
    return "Hello, world!"
