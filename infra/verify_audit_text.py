"""What `infra.verify_audit` says, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.seal_diff import Finding


@dataclass(frozen=True)
class Text:
    zh: str
    en: str

    def __call__(self, language: str, **values: object) -> str:
        return (self.zh if language == "zh" else self.en).format(**values)


WHERE: Mapping[str, Text] = {
    "seal": Text("封条", "seal"),
    "file": Text("归档文件", "archived file"),
    "table": Text("审计表", "audit table"),
    "archive": Text("归档桶", "archive bucket"),
}
KINDS: Mapping[str, Text] = {
    "changed": Text("事件被修改", "event changed"),
    "removed": Text("事件被删除", "event removed"),
    "added": Text("事件系事后加入", "event added afterwards"),
    "reordered": Text("事件顺序被改动", "event out of order"),
    "disputed": Text("两份副本不一致且均与封条不符", "the copies differ and neither is what was sealed"),
    "file_missing": Text("归档文件缺失", "file missing"),
    "file_unreadable": Text("归档文件无法解压", "file cannot be unpacked"),
    "file_changed": Text("归档文件被改动", "file changed"),
    "seal_missing": Text("该小时没有封条", "hour without a seal"),
    "seal_unreadable": Text("封条无法读取", "seal cannot be read"),
    "seal_changed": Text("封条被修改", "seal changed"),
    "chain_broken": Text(
        "封条链在此断开：前一封条的摘要不符", "chain broken here: the seal names another one before it"
    ),
    "overwritten": Text(
        "同一对象写入过多次或被删除标记遮盖", "object written more than once, or hidden by a delete marker"
    ),
    "stray": Text("归档桶中有不属于封存的对象", "object that is none of the archive's"),
    "head_differs": Text(
        "该小时的封条与另行留存的摘要不符", "the seal is not the one whose digest was noted elsewhere"
    ),
}
WORDS: Mapping[str, Text] = {
    "title": Text("审计封存核验", "audit verification"),
    "working": Text("正在核验", "verifying"),
    "hour": Text("小时（UTC）", "hour (UTC)"),
    "what": Text("发现", "finding"),
    "where": Text("位置", "where"),
    "event": Text("事件", "event"),
    "detail": Text("细节", "detail"),
    "intact": Text(
        "完好：{first} 至 {last} 共 {hours} 小时、{events} 个事件，全部与封条一致，链条无断点。",
        "intact: {hours} hours with {events} events, {first} to {last}, are all as sealed, and the chain has no gap.",
    ),
    "broken": Text(
        "不符：{first} 至 {last} 共 {hours} 小时、{events} 个事件中有 {findings} 处发现。",
        "NOT intact: {findings} findings in {hours} hours with {events} events, {first} to {last}.",
    ),
    "head": Text(
        "链头（请另行留存，下次用 --head 核对）：{last}={head}",
        "head of the chain (note it elsewhere, and give it as --head next time): {last}={head}",
    ),
    "nothing": Text("归档中尚无任何封条。", "nothing has been sealed yet."),
    "archive_only": Text("未与审计表比对（--archive-only）。", "the audit table was not compared (--archive-only)."),
    "unknown_event": Text("封存的归档中没有该事件。", "no sealed file holds this event."),
}


def sentence(finding: Finding, language: str) -> str:
    return KINDS[finding.kind](language)


def language_of(environment: Mapping[str, str]) -> str:
    """Zh where the terminal speaks Chinese."""
    spoken = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    return "zh" if spoken.lower().startswith("zh") else "en"
