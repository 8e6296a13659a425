"""The story's sentences: for each step what is about to happen, and what did. In braces: what the step found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    zh: str
    en: str
    zh_done: str
    en_done: str

    def title(self, language: str) -> str:
        return self.zh if language == "zh" else self.en

    def done(self, language: str) -> str:
        return self.zh_done if language == "zh" else self.en_done


TEXTS = {
    "health": Text(
        "云已启动，无令牌者被拒",
        "The cloud is up, and closed to whoever has no token",
        "健康检查 200；无令牌 401",
        "health 200; without a token 401",
    ),
    "hospitals": Text(
        "卫生健康委登记两家医院",
        "The health commission registers two hospitals",
        "{names}",
        "{names}",
    ),
    "joining": Text(
        "两家医院凭接入码登记公钥，此后自签令牌，领取上传凭证",
        "Both hospitals join with their codes, sign their own tokens, and get credentials to upload with",
        "接入码、令牌各只能用一次；凭证到 {until} 为止，只能上传到本院当日的前缀",
        "a code and a token are good once each; the credentials end at {until} and put under the own prefixes of today",
    ),
    "doctor": Text(
        "管理员为湖滨医院登记李医生",
        "The administrator registers Dr Li of Lakeside Hospital",
        "李医生可以登录，但还看不到任何影像",
        "Dr Li may log in, and may see nothing yet",
    ),
    "patient": Text(
        "患者张晓明在两家医院的窗口刷身份证",
        "The patient shows the card at the desks of both hospitals",
        "两个院内号，同一个人（身份证号只留密钥散列）",
        "two local numbers, one person (of the national id only a keyed hash is kept)",
    ),
    "notices": Text(
        "两份检查通知：江北刚做完一次 CT；湖滨 13 小时前做完一次，却没有影像",
        "Two exam notices: Jiangbei has just performed a CT; Lakeside did one 13 hours ago and never uploaded it",
        "均经接口，202；湖滨用自签的令牌",
        "both by the API, 202; Lakeside's with a token that it signed itself",
    ),
    "real_files": Text(
        "江北医院上传 pydicom 自带的真实 DICOM 文件",
        "Jiangbei uploads the real DICOM files that pydicom ships",
        "上传 {uploaded} = 入库 {indexed} + 隔离 {quarantined}（{reasons}）",
        "uploaded {uploaded} = indexed {indexed} + quarantined {quarantined} ({reasons})",
    ),
    "singles": Text(
        "江北医院逐张上传 300 层 CT",
        "Jiangbei uploads a CT of 300 slices, one object each",
        "{megabytes} MB；最后一张上传后 {settled:.1f} 秒整理完毕，300 张可调阅",
        "{megabytes} MB; settled {settled:.1f} s after the last slice, 300 served",
    ),
    "pack": Text(
        "湖滨医院把同一患者的 CT 打成一个包上传",
        "Lakeside uploads its own CT of the same patient as one pack",
        "一次 PUT、一个事件，{instances} 张可调阅",
        "one PUT, one event, {instances} served",
    ),
    "encounter": Text(
        "患者来湖滨医院就诊，接诊开始",
        "The patient comes to Lakeside: an encounter opens",
        "接诊已知，名下影像对医生仍为空",
        "the encounter is known, and its timeline is still empty for the doctor",
    ),
    "refused": Text(
        "李医生未经同意调阅：被拒",
        "Dr Li tries without consent: refused",
        "403 no_grant；与不存在的检查逐字节相同（{bytes} 字节）",
        "403 no_grant; byte-equal to that for an unknown study ({bytes} bytes)",
    ),
    "code": Text(
        "李医生请求同意，患者手机收到验证码",
        "Dr Li asks; a code goes to the patient's phone",
        "短信在发件箱文件中；输错一次：403，还剩 {attempts_left} 次",
        "the SMS is in the outbox file; one wrong try: 403, {attempts_left} left",
    ),
    "consent": Text(
        "患者说出验证码，授权成立",
        "The patient tells the right code: consent",
        "{studies} 项检查，至 {expires_at}",
        "{studies} studies, until {expires_at}",
    ),
    "manifest": Text(
        "李医生打开江北医院的 CT",
        "Dr Li opens the CT of Jiangbei",
        "清单 {manifest:.0f} 毫秒；{instances} 张经签名链接取回，逐字节一致（{seconds:.1f} 秒）",
        "manifest in {manifest:.0f} ms; {instances} slices by signed URLs, byte for byte the same ({seconds:.1f} s)",
    ),
    "from_pack": Text(
        "再从湖滨医院的包中按字节范围取",
        "And Lakeside's from the pack, by byte ranges",
        "{instances} 张，{urls} 个链接，{requests} 次请求，逐字节一致（{seconds:.1f} 秒）",
        "{instances} slices, {urls} URL, {requests} requests, byte for byte the same ({seconds:.1f} s)",
    ),
    "timeline": Text(
        "跨院时间线",
        "The timeline across hospitals",
        "医生可见 {doctor} 项，患者本人可见 {patient} 项",
        "the doctor sees {doctor} studies, the patient {patient}",
    ),
    "accesses": Text(
        "患者查看谁看过",
        "The patient sees who looked",
        "{allowed} 次允许，{refused} 次拒绝，均有记录",
        "{allowed} allowed, {refused} refused, all on record",
    ),
    "revoke": Text(
        "患者撤回同意",
        "The patient withdraws the consent",
        "下一次调阅即 403 {error}",
        "the very next try is 403 {error}",
    ),
    "sweep": Text(
        "定时巡检：超过 12 小时未上传者被标记",
        "The sweep flags who missed the 12 hours",
        "{hospital}超过12小时未上传，已标记（{rule}）；仅此一家（pydicom 的 {imported} 项旧检查计为导入）",
        "{hospital} missed the 12 hours: flagged ({rule}); nobody else ({imported} old exams of pydicom's are imports)",
    ),
    "sns": Text(
        "新标记经 SNS 告知",
        "SNS tells of the new flag",
        "收到 {messages} 条，每个标记一条",
        "{messages} message, one per flag",
    ),
    "report": Text(
        "今日报表",
        "Today's report",
        "CSV {lines} 行",
        "CSV of {lines} lines",
    ),
    "reindex": Text(
        "只凭存储桶重建索引",
        "Rebuild the index from the bucket alone",
        "删去 {dropped} 条；重建后索引的 {same} 条逐条相同，两项检查的清单亦同（{seconds:.1f} 秒）",
        "{dropped} items dropped; all {same} of the index are the same again, both manifests too ({seconds:.1f} s)",
    ),
}

FRAME = {
    "zh": {
        "title": "影像云：一次检查的故事",
        "step": "第 {number} 步",
        "held": "{held} 步全部成立，用时 {seconds:.1f} 秒",
        "failed": "在此处失败：{what}",
        "upload": "上传",
        "index": "整理",
        "fetch": "取回并比对",
        "make": "生成影像……",
        "rebuild": "重建中……",
        "whole": "（此处的 S3 对指明版本的请求不理会 Range，答以整个对象；逐段从中比对）",
        "look": "接下来可以看：",
    },
    "en": {
        "title": "Imaging Cloud: the story of one exam",
        "step": "Step {number}",
        "held": "all {held} steps held, in {seconds:.1f} s",
        "failed": "failed here: {what}",
        "upload": "upload",
        "index": "settle",
        "fetch": "fetch and compare",
        "make": "making the images …",
        "rebuild": "rebuilding …",
        "whole": "(S3 takes no notice of Range here where a version is named: each slice is cut from the whole answer)",
        "look": "How to look around:",
    },
}
