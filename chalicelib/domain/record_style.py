"""The style of an archive's page: phone and desktop, light and dark, and paper."""

from __future__ import annotations

STYLE = """\
:root{color-scheme:light dark;--ink:#1a2129;--soft:#5a6672;--line:#d8dfe6;
--paper:#fff;--ground:#f3f6f9;--blue:#0b5cad;--warn:#8a4b00}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf2;--soft:#9fabb7;--line:#33404c;
--paper:#182029;--ground:#0f151b;--blue:#7db7f0;--warn:#f0b670}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif}
header,main{max-width:70rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;line-height:1.3;margin:.5rem 0}
h2{font-size:1.2rem;line-height:1.35;margin:0 0 .8rem}
h2 small,nav b{color:var(--soft);font-weight:400}
.en{color:var(--soft)}
h1 .en,h2 .en{font-weight:400;font-size:.85em}
.warn{color:var(--warn);border-inline-start:.25rem solid;padding-inline-start:.7rem;margin:.6rem 0}
.warn .en,.warn span{color:inherit}
section{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;padding:1rem;margin:0 0 1rem}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr));gap:.7rem 1.5rem;margin:0}
dt{color:var(--soft);font-size:.9rem}
dd{margin:0;overflow-wrap:anywhere}
nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1.3rem;list-style:none;margin:0 0 1rem;padding:0}
a{color:var(--blue)}
nav a{text-decoration:none}
table{width:100%;border-collapse:collapse}
th{text-align:start;font-weight:600;font-size:.9rem;vertical-align:bottom}
th span,td>span{display:block}
th,td{padding:.5rem .6rem .5rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}
th .en{font-weight:400}
tbody tr:last-child td{border-bottom:0}
time{white-space:nowrap}
code{font-size:.8rem;color:var(--soft);overflow-wrap:anywhere}
mark{background:none;color:var(--warn)}
.empty{color:var(--soft);margin:0}
#about ul{margin:0;padding-inline-start:1.2rem}
#about li span,.warn span{display:block}
@media(max-width:46rem){
thead{display:none}
table,tbody,tr,td{display:block}
tr{border-bottom:1px solid var(--line);padding:.6rem 0}
tbody tr:last-child{border-bottom:0;padding-bottom:0}
td{border:0;padding:.15rem 0;display:grid;grid-template-columns:7.5rem minmax(0,1fr);gap:0 .7rem}
td::before{content:attr(data-zh) " " attr(data-en);color:var(--soft);font-size:.85rem;grid-row:span 9}
td>*{grid-column:2}
}
@media print{body{background:none}section{break-inside:auto;border:0;padding:0}nav{display:none}}
"""
