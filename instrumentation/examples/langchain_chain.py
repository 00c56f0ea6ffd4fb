"""A chain of LangChain above a wrapped client: LangChain goes on as ever, the ledger sees each request it makes.

    python langchain_chain.py "Where is my parcel?"

Needs OPENAI_API_KEY, and pip install langchain-openai. A chat model holds the client of the SDK, which is what is
wrapped; `farebox.instrument()` before the models are made does the same for all of them. Retries, fallbacks and each
step of a chain are attempts of their own, of one task.
"""

import sys
import uuid

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI

import farebox

# LangChain asks api.openai.com for the usage of streams by itself, other hosts only if it is told to.
model = ChatOpenAI(model="gpt-5.4-mini", max_completion_tokens=200, stream_usage=True)
farebox.wrap(model.root_client, route="parcels")
farebox.wrap(model.root_async_client, route="parcels")

topic = ChatPromptTemplate.from_template("In one word, what is this about? {question}") | model | StrOutputParser()
reply = ChatPromptTemplate.from_template("Answer a customer who asks about {topic}.") | model | StrOutputParser()
chain = topic | RunnableLambda(lambda word: {"topic": word}) | reply


def answer(question: str) -> str:
    """Run both steps as one task; the second is streamed."""
    with farebox.tags(task=str(uuid.uuid4()), feature="help-page"):
        return "".join(chain.stream({"question": question}))


if __name__ == "__main__":
    sys.stdout.write(answer(sys.argv[1] if len(sys.argv) > 1 else "Where is my parcel?") + "\n")
