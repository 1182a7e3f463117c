"""The command line, ``flash-integrations``. Errors are one line; exit code 2 for wrong usage, 1 for a failed call."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Annotated

from ..errors import ConfigurationError, FlashError

if TYPE_CHECKING:
    from ..testing import ReceivedRequest

_EXTRA_HINT = "this command needs more packages: pip install 'flash-integrations[all]'"

try:
    import typer
    from rich.console import Console
except ImportError:  # main() names the extra to install
    typer = None  # type: ignore[assignment]

if typer is not None:
    app = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        help="Whole answers from OpenAI-format gateways, also from models that only stream.",
        pretty_exceptions_enable=False,
    )

    @app.command()
    def demo(
        model: Annotated[str, typer.Option(help="The model to ask.")] = "gpt-5.2",
        question: Annotated[str, typer.Option(help="What to ask it.")] = "In one sentence: why is the sky blue?",
    ) -> None:
        """Show the main job: a whole and a streamed answer of a stream-only model, in LangChain and in LlamaIndex.

        Without a key it starts the local gateway, whose answers are made up. With FLASH_API_KEY (or FLASH_PROVIDER and
        its key, or FLASH_BASE_URL) it asks the real one.
        """
        from .demo import run

        run(Console(), model=model, question=question)

    @app.command()
    def gateway(  # noqa: PLR0917 - typer reads options off the parameters
        provider: Annotated[str, typer.Option(help="The provider whose rules it keeps.")] = "flashapi",
        port: Annotated[int, typer.Option(help="Where to listen on 127.0.0.1; 0 takes a free port.")] = 8899,
        api_key: Annotated[str, typer.Option(help="The API key it accepts.")] = "sk-local",
        limits: Annotated[bool, typer.Option("--limits", help="Enforce the provider's rate limits.")] = False,  # noqa: FBT002
        strict_models: Annotated[  # noqa: FBT002
            bool, typer.Option("--strict-models", help="Refuse models that the provider does not list.")
        ] = False,
        log: Annotated[bool, typer.Option("--log", help="Show a line for each request.")] = False,  # noqa: FBT002
        upstream: Annotated[
            str | None, typer.Option(help="Relay to this OpenAI-format server, such as llama.cpp's.")
        ] = None,
        upstream_key: Annotated[str | None, typer.Option(help="Its key.")] = None,
        upstream_model: Annotated[str | None, typer.Option(help="The model to ask there.")] = None,
    ) -> None:
        """Run the local gateway until Ctrl-C: GPT models answer only to streaming requests, as at the real ones."""
        from ..testing import LocalGateway

        console = Console()
        local = LocalGateway(
            provider,
            api_key=api_key,
            enforce_limits=limits,
            upstream=upstream,
            upstream_key=upstream_key,
            upstream_model=upstream_model,
            strict_models=strict_models,
            port=port,
            on_answer=_show if log else None,
        )
        try:
            with local:
                console.print(f"The local gateway stands in for [bold]{provider}[/] at {local.base_url}")
                console.print("Use it from another terminal with:", style="dim")
                console.print(
                    f"  export FLASH_BASE_URL={local.base_url} FLASH_API_KEY={local.api_key}", highlight=False
                )
                console.print("or, with this provider's rules and limits, in code:", style="dim")
                console.print(
                    f"  FlashClient(provider={provider!r}, base_url={local.base_url!r}, api_key={local.api_key!r})",
                    highlight=False,
                    soft_wrap=True,
                )
                console.print("Ctrl-C ends it.", style="dim")
                threading.Event().wait()
        except KeyboardInterrupt:
            console.print("stopped")


def _show(request: ReceivedRequest) -> None:
    """Print a request's method, path, model and status."""
    how = "stream" if request.stream else "plain"
    status = request.status or "client disconnected"
    sys.stdout.write(f"{request.method} {request.path} {request.model or '-'} {how} {status}\n")
    sys.stdout.flush()


def main() -> None:
    """Run the command line."""
    if typer is None:
        sys.exit(f"flash-integrations: {_EXTRA_HINT}")
    try:
        app()
    except ModuleNotFoundError as error:
        _exit(f"{error.name} is not installed: {_EXTRA_HINT}", 2)
    except ConfigurationError as error:
        _exit(str(error), 2)
    except FlashError as error:
        _exit(f"{type(error).__name__}: {error}", 1)


def _exit(line: str, code: int) -> None:
    sys.stderr.write(f"flash-integrations: {line}\n")
    sys.exit(code)
