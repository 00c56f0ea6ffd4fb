"""A job of many calls on threads that ends once it is done: tags follow into threads, spans are delivered at exit.

    FAREBOX_SPOOL_DIR=/var/spool/farebox python batch_job.py reviews.txt

Needs OPENAI_API_KEY. With FAREBOX_SPOOL_DIR nothing is lost if no collector listens while the job runs: the next job
that has one delivers it.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai

import farebox

client = farebox.wrap(openai.OpenAI())


def classify(review: str) -> str:
    """Say in one word what a review thinks."""
    completion = client.chat.completions.create(
        model="gpt-5.4-mini",
        max_completion_tokens=5,
        messages=[{"role": "user", "content": f"One word, positive or negative: {review}"}],
    )
    return completion.choices[0].message.content or ""


def main(reviews: list[str]) -> None:
    """Classify all, a few at a time."""
    with farebox.tags(route="nightly-reviews", tenant="acme"), ThreadPoolExecutor(4) as pool:
        # `bind` carries this block's tags into the threads; without it they would be tagged as if outside.
        for word in pool.map(farebox.tags.bind(classify), reviews):
            sys.stdout.write(word + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).read_text(encoding="utf-8").splitlines() if len(sys.argv) > 1 else ["great", "awful"])
