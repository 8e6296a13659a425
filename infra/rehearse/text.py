"""The rehearsal's sentences beyond the story's: what is tried, what held, and what cannot be tried here."""

from __future__ import annotations

from infra.local.story_text import Text

TEXTS = {
    "unsigned": Text(
        "没有签名的请求", "Requests without a signature", "{tries} 次，全部 403", "{tries} tries, each 403"
    ),
    "tampered": Text(
        "改动过的签名链接：签名、期限、对象、类型、方法",
        "Signed URLs that were changed: signature, expiry, object, type, method",
        "{tries} 次，全部被拒",
        "{tries} tries, each refused",
    ),
    "expired": Text("过期的签名链接", "A signed URL after its end", "先可打开，到期后 403", "opens at first, then 403"),
    "cross_prefix": Text(
        "医院的凭证越出自己的前缀，或试图读、删、列",
        "A hospital's credentials outside their prefixes, or reading, deleting, listing",
        "{tries} 次，全部 AccessDenied",
        "{tries} tries, each AccessDenied",
    ),
    "plain_http": Text(
        "同一凭证、同一前缀，但不用 TLS",
        "The same credentials and prefix, without TLS",
        "AccessDenied（存储桶策略）",
        "AccessDenied (the bucket's policy)",
    ),
    "wrong_role": Text(
        "各函数以自己的角色去做别人的事",
        "Functions' roles trying what is another's",
        "{tries} 次，全部被拒；该读的角色可以读",
        "{tries} tries, each refused; the role that must read can",
    ),
    "wrong_token": Text(
        "接口：没有、损坏、伪造的令牌，以及错误的角色",
        "The API: no, spoiled and forged tokens, and wrong roles",
        "{tokens} 个令牌 401，{roles} 个角色 403",
        "{tokens} tokens 401, {roles} roles 403",
    ),
    "dicomweb": Text(
        "DICOMweb：检索、头信息、实例与帧，经签名角色的链接取得；打包文件中的实例",
        "DICOMweb: search, headers, an instance and a frame, through URLs of the signer's role; an instance of a pack",
        "{images} 幅图像；实例 {size} KB，逐字节相同；{accepts} 种 Accept 下帧均为原像素",
        "{images} images; an instance of {size} KB, the same to the byte; a frame's pixels by {accepts} Accept headers",
    ),
    "fhir": Text(
        "FHIR：同一检查的 ImagingStudy，其 Endpoint 与 DICOMweb 相符；谁看过",
        "FHIR: the same study, whose Endpoint is where DICOMweb stands; and who looked",
        "{address}；{events} 条访问记录",
        "{address}; {events} events",
    ),
    "nothing_to_others": Text(
        "授权已撤回的医生经 DICOMweb 与 FHIR",
        "The doctor whose consent was withdrawn, by DICOMweb and FHIR",
        "{tries} 次：检索无结果，打开均 403",
        "{tries} tries: nothing found, and 403 for all that is opened",
    ),
    "vended": Text(
        "接口发给医院的凭证：单次上传、覆盖、分段上传与放弃",
        "The credentials that the API gave a hospital: PUT, again, in parts, and given up",
        "在当日本院前缀下全部可行，到 {until} 为止",
        "all of it under its own prefixes of today, until {until}",
    ),
    "neighbours": Text(
        "同一凭证去做相邻的一切：别院、别日、别桶、读删列、别的服务、扮演角色",
        "The same at all that is beside: others' places, other dates, buckets and services, read, delete, list, roles",
        "{tries} 次，全部被拒",
        "{tries} tries, each refused",
    ),
    "shut_out": Text(
        "主管部门停用一家医院的公钥",
        "The commission ends a hospital's keys",
        "{keys} 个公钥停用；旧令牌和旧接入码都换不来新公钥",
        "{keys} ended; neither a token nor a code of before makes another",
    ),
    "schedules": Text(
        "定时任务：规则存在且启用，逐个执行一次",
        "Schedules: each has its rule, enabled, and is run once",
        "{names}",
        "{names}",
    ),
    "dead_letters": Text(
        "无法处理的消息进入死信队列（重试间隔在此缩短为 1 秒）",
        "A poisoned message ends among the dead letters (the wait between tries is cut to a second here)",
        "{tries} 次之后，{seconds:.1f} 秒",
        "after {tries} tries, {seconds:.1f} s",
    ),
    "disposal": Text(
        "只来过一次的老患者的检查：申请、两人批准、开启 Disposal、由 dispose 销毁、再关闭",
        "The exam of one who came once and long ago: proposed, approved by two, `Disposal` on, destroyed, off again",
        "{versions} 个对象版本已销毁，别的角色都删不了；销毁证明 {certificate}…",
        "{versions} object versions destroyed, by no other role; certificate {certificate}…",
    ),
    "watch": Text(
        "告警与仪表板的栈（watch.yaml）",
        "The stack of alarms and the dashboard (watch.yaml)",
        "{alarms} 个告警，各有通知对象",
        "{alarms} alarms, each with somebody to tell",
    ),
    "keep": Text(
        "另一区域的栈（replica.yaml）与备份的栈（keep.yaml）",
        "The stack of the other region (replica.yaml) and that of backups (keep.yaml)",
        "{rules} 条备份规则，各复制到另一区域的保管库",
        "{rules} rules of backups, each copied into the other region's vault",
    ),
    "own_name": Text(
        "接口的自有域名：路径与阶段相同",
        "The API under a name of its own, at the same path as at its stage",
        "https://{name}/api/…，别处没有",
        "https://{name}/api/…, and nowhere else",
    ),
    "front": Text(
        "CloudFront 之后的页面与接口（front.yaml，一般与中国两种）：同一来源，会话 Cookie，绕行被拒",
        "Pages and API behind CloudFront (front.yaml, as elsewhere and as in China): one origin, a session's cookie, "
        "no way round it",
        "接口收到 {requests} 次请求；不带密钥者 403",
        "{requests} requests reached the API; without the secret 403",
    ),
    "upgrade": Text(
        "函数换成新的压缩包，再回退，其间请求不断",
        "The functions get another zip and the first one back, while requests go on",
        "两次更新，其间 {asked} 次请求全部成功（{again} 次被 MiniStack 中断后重发；AWS 会等其完成）",
        "two updates; {asked} requests meanwhile, each answered ({again} cut off by MiniStack and asked again, where "
        "AWS waits)",
    ),
}

FRAME = {
    "zh": {
        "title": "影像云：演练",
        "held": "演练 {held} 步全部成立，用时 {seconds:.1f} 秒",
        "failed": "在此处失败：{what}",
        "stands": "两个栈已由原模板建成，{functions} 个函数由压缩包运行，IAM 强制执行：{endpoint}",
        "left_out": "MiniStack 不认识这些条件或资源，所以下列各项在演练中略去，未被检验：",
        "not_rehearsed": "此处无法演练：",
    },
    "en": {
        "title": "Imaging Cloud: the rehearsal",
        "held": "all {held} steps of the rehearsal held, in {seconds:.1f} s",
        "failed": "failed here: {what}",
        "stands": "both stacks stand, from the very templates; {functions} functions run from the zip, IAM enforced: "
        "{endpoint}",
        "left_out": "Left out here and not tried, for MiniStack does not know these conditions or resources:",
        "not_rehearsed": "What cannot be rehearsed here:",
    },
}

NOT_REHEARSED = (
    {
        "zh": "分区 aws-cn：MiniStack 在任何区域都是 aws",
        "en": "the partition aws-cn: MiniStack's is aws in every region",
    },
    {
        "zh": "生命周期、对象锁、TTL、时间点恢复：其 CloudFormation 不设置",
        "en": "lifecycles, object locks, TTL, point-in-time recovery: its CloudFormation does not set them",
    },
    {
        "zh": "KMS 对存储桶、表、队列内数据的权限；队列年龄指标；并发、内存与批处理窗口",
        "en": "KMS rights on data at rest; the queues' age metric; concurrency, memory, batch windows",
    },
    {
        "zh": "按字节范围读取：MiniStack 对指明版本的请求答以整个对象",
        "en": "byte ranges: where a version is named MiniStack answers with the whole object",
    },
    {
        "zh": "WAF 的规则与各种日志：只建不查（绕过 CloudFront 的请求在此由演练自己拒绝）；CloudFront 的缓存与证书",
        "en": "WAF's rules and all logs: made, not tried (who goes round CloudFront is refused by the rehearsal itself "
        "here); what CloudFront keeps, and its certificate",
    },
    {
        "zh": "定时由时钟触发：规则已查，任务在此由人执行",
        "en": "that the clock fires the rules: they were looked at, and their functions run by hand",
    },
)
