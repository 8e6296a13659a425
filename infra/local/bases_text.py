"""What the bases say, in Chinese and English."""

from __future__ import annotations

from infra.local.story_text import Text

TEXTS = {
    "cast": Text(
        "登记医院、医生与三位患者：张晓明、没有手机的王秀兰、8岁的张小雨",
        "Hospitals, a doctor and three patients: Zhang Xiaoming, Wang Xiulan without a phone, Zhang Xiaoyu who is 8",
        "三人在两家医院的院内号都归到本人",
        "their numbers at both hospitals belong to one person each",
    ),
    "studies": Text(
        "江北医院上传三人的磁共振，三人到湖滨医院就诊",
        "Jiangbei uploads an MR of each; all three see the doctor at Lakeside",
        "{studies} 项检查可调阅，{visits} 次接诊已开始，医生尚无权查看任何一项",
        "{studies} studies served, {visits} visits open, and the doctor may see none of them",
    ),
    "self": Text(
        "本人：张晓明在手机上看自己的影像",
        "The person: Zhang looks at his own images",
        "可看自己的，看不到他人的",
        "his own open, others' do not",
    ),
    "sms_code": Text(
        "短信验证码：患者把收到的验证码告诉医生",
        "SMS code: the patient tells the doctor the code",
        "授权至 {until}；撤回后即 403 {error}",
        "consent until {until}; withdrawn, the next try is 403 {error}",
    ),
    "health_app": Text(
        "健康应用：患者在申请列表中同意，选定检查和7天",
        "Health app: the patient approves in the list, for a chosen study and 7 days",
        "授权至 {until}；撤回后即 403 {error}",
        "consent until {until}; withdrawn, the next try is 403 {error}",
    ),
    "dynamic_qr": Text(
        "动态二维码：患者出示，医生扫码",
        "Dynamic QR: the patient shows it, the doctor scans",
        "授权至 {until}，同一二维码再扫被拒；撤回后即 403 {error}",
        "consent until {until}, a second scan is refused; withdrawn, the next try is 403 {error}",
    ),
    "guardian": Text(
        "监护人：8岁的张小雨由父亲同意",
        "Guardian: her father answers for Zhang Xiaoyu, who is 8",
        "本人不能自行同意，监护人可以；授权至 {until}；监护人撤回后即 403 {error}",
        "she cannot answer herself, he can; consent until {until}; withdrawn by him, the next try is 403 {error}",
    ),
    "assisted": Text(
        "医生协助：王秀兰没有手机，读身份证，窗口人员重新登录作证",
        "Assisted: Wang has no phone; her card is read, and a clerk who signs in afresh is the witness",
        "有手机者、无见证人均不可；告知书由另一名窗口人员交付；持证提出异议后即 403 {error}",
        "not where a phone exists; another clerk hands over the notice; she objects with her card: 403 {error}",
    ),
    "break_glass": Text(
        "紧急访问：患者昏迷，医生写明理由并键入确认",
        "Break-glass: the patient is unconscious; the doctor states why and types the confirmation",
        "授权至 {until}（2小时）；患者提出异议即 403 {error}，负责人收到复核，认定{verdict}",
        "access until {until} (2 hours); the patient objects: 403 {error}; the privacy officer reviews: {verdict}",
    ),
    "record": Text(
        "每一种都在患者的访问记录里",
        "Each of them is in the patients' own record",
        "{entries} 条记录，其中允许 {allowed}，拒绝 {refused}；七种依据俱全",
        "{entries} entries, {allowed} allowed, {refused} refused; all seven bases",
    ),
}

FRAMES = {
    "zh": {
        "title": "影像云：七种授权依据",
        "held": "{held} 步全部成立，用时 {seconds:.1f} 秒",
        "failed": "在此处失败：{what}",
        "start": "本机没有运行中的云，正在启动一个……",
        "log": "{name}看到的访问记录",
    },
    "en": {
        "title": "Imaging Cloud: the seven bases of a grant",
        "held": "all {held} steps held, in {seconds:.1f} s",
        "failed": "failed here: {what}",
        "start": "no cloud runs here: starting one …",
        "log": "What {name} reads of who looked",
    },
}
