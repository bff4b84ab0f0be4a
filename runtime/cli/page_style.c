/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/page_style.h"

#include "runtime/base/mem.h"

static const char *const rules[] = {
	/* Two palettes; text has a contrast of 4.5 at least to what it stands on, in both. */
	":root{color-scheme:light dark;--paper:#fbfbf9;--card:#fff;--ink:#1d2126;"
	"--soft:#565d66;--line:#dedfda;--track:#ecece7;--ok:#1b6e42;--warning:#8a5200;"
	"--problem:#a4262c;--info:#4a5560;--native:#4f8a73;--emulated:#4a74ad;"
	"--refused:#bf4f45;--unknown:#9a8f7c}\n"
	"@media (prefers-color-scheme:dark){:root{--paper:#14171a;--card:#1b1f23;"
	"--ink:#e5e7ea;--soft:#a4acb5;--line:#30363c;--track:#272c31;--ok:#7bc89c;"
	"--warning:#e0b15a;--problem:#f29a92;--info:#a4acb5;--native:#6fae94;"
	"--emulated:#7ea3d8;--refused:#dd7b70;--unknown:#9b927f}}\n",
	/* Type and headings. */
	"*{box-sizing:border-box}\n"
	"html{-webkit-text-size-adjust:100%;text-size-adjust:100%}\n"
	"body{margin:0 auto;padding:2.5rem 1.25rem 3rem;max-width:60rem;color:var(--ink);"
	"background:var(--paper);font:1rem/1.55 system-ui,-apple-system,'Segoe UI',"
	"Roboto,'Noto Sans','Liberation Sans',sans-serif;overflow-wrap:anywhere}\n"
	"code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',"
	"'DejaVu Sans Mono',monospace;font-size:.875em}\n"
	"h1{margin:.1rem 0 .4rem;font-size:2rem;line-height:1.2;letter-spacing:-.015em}\n"
	"h2{margin:3rem 0 1rem;padding-bottom:.4rem;font-size:1.25rem;line-height:1.3;"
	"border-bottom:1px solid var(--line)}\n"
	"h3{margin:0 0 .35rem;font-size:1rem;line-height:1.4}\n"
	"p{margin:.4rem 0;max-width:46rem}\n"
	"small{color:var(--soft);font-size:.8125rem;font-weight:400}\n"
	"h3 small{margin-left:.5rem}\n"
	"a{color:inherit;text-underline-offset:.2em}\n"
	"a:focus-visible{outline:2px solid var(--emulated);outline-offset:2px}\n",
	/* The top, and the colours of a state. */
	".brand{margin:0;color:var(--soft);font-size:.875rem}\n"
	".state{display:flex;align-items:center;margin:0 0 .6rem;font-size:1.25rem;"
	"font-weight:600}\n"
	".state::before{content:'';flex:none;width:.7rem;height:.7rem;margin-right:.6rem;"
	"border-radius:50%;background:currentColor}\n"
	".ok{color:var(--ok)}.warning{color:var(--warning)}.problem{color:var(--problem)}"
	".info{color:var(--info)}\n"
	".facts{display:flex;flex-wrap:wrap;gap:0 1.1rem;margin:.15rem 0 "
	".5rem;color:var(--soft);font-size:.875rem;max-width:none}\n"
	"nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin-top:1.25rem;"
	"font-size:.875rem}\n",
	/* What is to be done, and what was refused. */
	".card{margin:.75rem 0;padding:.9rem 1.1rem;color:var(--ink);"
	"background:var(--card);border:1px solid var(--line);border-left:3px solid "
	"var(--line);border-radius:6px}\n"
	".card.problem{border-left-color:var(--problem)}.card.warning{"
	"border-left-color:var(--warning)}.card.plain{border-left-color:var(--refused)}\n"
	".mark{display:inline-block;padding:0 .5em;border:1px solid;border-radius:1em;"
	"font-size:.75rem;font-weight:600;line-height:1.5;vertical-align:.1em}\n"
	"h3 .mark{margin-right:.35rem}\n"
	".fix{margin:.6rem 0 0;padding:.5rem .75rem;background:var(--track);"
	"border-radius:4px}\n"
	".card p{max-width:none}.fix span{white-space:nowrap}\n"
	".fix b,.said b{margin-right:.4rem;font-weight:600;font-size:.8125rem;"
	"color:var(--soft)}\n"
	".said{font-size:.875rem}\n"
	".code{margin-right:.35rem;color:var(--problem);font-weight:600}\n"
	".refusals{margin:0;padding:0;list-style:none}\n",
	/* Tables. */
	"table{width:100%;table-layout:fixed;margin:0 0 1.75rem;border-collapse:collapse;"
	"font-size:.9375rem}\n"
	"caption{padding:.25rem 0;text-align:left;color:var(--soft);font-size:.875rem}\n"
	"th,td{padding:.5rem .75rem .5rem 0;text-align:left;vertical-align:top;"
	"border-top:1px solid var(--line)}\n"
	"thead th{color:var(--soft);font-size:.8125rem;font-weight:400}\n"
	"tbody th{font-weight:600}\n"
	"td small{display:block}\n"
	".findings th:first-child{width:11rem}.findings th:nth-child(2){width:6.5rem}\n"
	".emulators th:first-child{width:8rem}.emulators th:last-child{width:16rem}\n",
	/* Figures and charts. */
	".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));"
	"gap:1rem;margin:0 0 1.5rem;padding:0;list-style:none}\n"
	".figures small{display:block}\n"
	".figures b{font-size:1.5rem;font-weight:600;line-height:1.3;"
	"font-variant-numeric:tabular-nums;letter-spacing:-.01em}\n"
	".charts{columns:24rem 2;column-gap:1rem}\n"
	"figure{display:inline-block;width:100%;margin:0 0 1rem;padding:1rem 1.1rem "
	".6rem;background:var(--card);border:1px solid var(--line);border-radius:6px}\n"
	"figcaption{margin-bottom:.6rem;font-weight:600}\n"
	"figcaption span{display:block;color:var(--soft);font-size:.8125rem;"
	"font-weight:400}\n"
	".legend{display:flex;flex-wrap:wrap;gap:.15rem 1rem;margin:0 0 .6rem;padding:0;"
	"list-style:none;color:var(--soft);font-size:.8125rem}\n"
	".bars{display:block;overflow:visible}\n"
	"svg text{fill:var(--ink);font-size:13px}svg .value{text-anchor:end;"
	"font-variant-numeric:tabular-nums}svg .words{fill:var(--soft);font-size:12px}\n"
	"svg .track{fill:var(--track)}svg .native{fill:var(--native)}svg .emulated{"
	"fill:var(--emulated)}svg .refused{fill:var(--refused)}svg .unknown{"
	"fill:var(--unknown)}\n"
	"footer{margin-top:3rem;color:var(--soft);font-size:.8125rem}\n",
	/* A phone. */
	"@media (max-width:40rem){body{padding:1.5rem 1rem 2rem}h1{font-size:1.625rem}h2{"
	"margin-top:2.25rem}.card{padding:.8rem .9rem}table{font-size:.875rem}th,td{"
	"padding-right:.5rem}.findings th:first-child{width:7.25rem}.findings "
	"th:nth-child(2){width:5rem}.emulators th:first-child{width:5.25rem}.emulators "
	"th:last-child{width:7rem}}\n",
	/* Paper. */
	"@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;"
	"--soft:#444;--line:#bbb;--track:#eee;--ok:#1b6e42;--warning:#8a5200;"
	"--problem:#a4262c;--info:#444;--native:#4f8a73;--emulated:#4a74ad;"
	"--refused:#bf4f45;--unknown:#9a8f7c}body{padding:0;max-width:none;"
	"font-size:10pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}nav{"
	"display:none}article,figure,tr{break-inside:avoid}h2,h3,caption{"
	"break-after:avoid}}\n",
};

void page_style(struct html *h)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		html_mark(h, rules[i]);
}
