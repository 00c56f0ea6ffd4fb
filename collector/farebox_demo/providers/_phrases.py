"""The sentences simulated models speak in."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "CITATIONS",
    "CLARIFICATIONS",
    "DISCLAIMERS",
    "INVENTED_FUNCTIONS",
    "INVENTED_MODULES",
    "REAL_FUNCTIONS",
    "REFUSALS",
    "SENTENCES",
]

SENTENCES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "The order was charged once and refunded the same day, so the balance on the account is correct.",
        "Open the settings page, choose the billing tab, and the address can be changed there.",
        "A return label is valid for fourteen days and can be printed again from the order history.",
        "The export runs every night at two and keeps the last ninety days.",
        "Both invoices carry the same number because the second is a corrected copy of the first.",
        "The delay comes from the carrier: the parcel has been in the same depot since Tuesday.",
        "A password reset ends every open session, including the one on the phone.",
        "The discount applies to the list price before tax, never to shipping.",
        "Customers on the annual plan keep their old price until the next renewal.",
        "The webhook is retried for three days and then marked as failed.",
        "Refunds above the limit need a second signature from the finance team.",
        "The two accounts can be merged once the open orders on both are closed.",
    ),
    "zh": (
        "订单只扣款一次，退款已于当天完成，账户余额没有问题。",
        "请打开设置页面，选择账单标签，就可以在那里修改地址。",
        "退货标签有效期为十四天，可以在订单历史中重新打印。",
        "包裹从周二起一直停在同一个仓库，延误来自承运商。",
        "重置密码会结束所有已登录的会话，包括手机上的会话。",
        "折扣按税前标价计算，不适用于运费。",
        "年度套餐的客户在下次续费之前保持原来的价格。",
        "两个账户上的未完成订单关闭之后，就可以合并账户。",
    ),
    "ja": (
        "ご注文の請求は一度だけで、同じ日に返金されていますので、残高は正しいです。",
        "設定ページを開いて請求タブを選ぶと、住所を変更できます。",
        "返品ラベルの有効期限は十四日間で、注文履歴から再印刷できます。",
        "荷物は火曜日から同じ倉庫に留まっており、遅延は配送業者によるものです。",
        "パスワードを再設定すると、スマートフォンを含むすべてのセッションが終了します。",
        "割引は税抜きの定価に適用され、送料には適用されません。",
        "年間プランのお客様は、次の更新まで現在の料金のままです。",
        "両方のアカウントの未完了の注文が終われば、統合することができます。",
    ),
    "ar": (
        "تم خصم قيمة الطلب مرة واحدة وأعيد المبلغ في اليوم نفسه، لذلك فإن الرصيد صحيح.",
        "افتح صفحة الإعدادات واختر تبويب الفواتير، ويمكنك تغيير العنوان من هناك.",
        "ملصق الإرجاع صالح لمدة أربعة عشر يوما ويمكن طباعته مرة أخرى من سجل الطلبات.",
        "الطرد موجود في المستودع نفسه منذ يوم الثلاثاء، والتأخير من شركة الشحن.",
        "إعادة تعيين كلمة المرور تنهي جميع الجلسات المفتوحة بما فيها جلسة الهاتف.",
        "يطبق الخصم على السعر قبل الضريبة ولا يطبق على الشحن.",
        "يحتفظ عملاء الخطة السنوية بالسعر القديم حتى التجديد القادم.",
        "يمكن دمج الحسابين بعد إغلاق الطلبات المفتوحة في كليهما.",
    ),
}

REFUSALS = (
    "I'm sorry, but I can't help with that request.",
    "I'm not able to assist with this, as it may involve another customer's personal data.",
    "I can't provide that information.",
)

CLARIFICATIONS = (
    "Could you tell me which order this is about? Please share the order number so that I can look it up.",
    "Before I change anything: do you mean the billing address or the shipping address?",
    "Which of the two accounts should I look at? I need the email address it was opened with.",
)

DISCLAIMERS = (
    "Please note that this is not legal or tax advice; consult a qualified professional for your situation.",
    "I'm not a financial advisor, so please check these figures with your accountant before relying on them.",
)

CITATIONS = (
    "See https://help.example.com/articles/{n} for the details.",
    "The rule is described in https://docs.example.org/billing/{n}#refunds.",
    "A study found the same (doi:10.1000/orders.{n}).",
)

# A module of the standard library, and a call of it: one that it has, or one that it should have but has not.
REAL_FUNCTIONS = (
    ("csv", "DictReader(rows)"),
    ("json", "loads(rows)"),
    ("statistics", "fmean(rows)"),
    ("collections", "Counter(rows)"),
    ("itertools", "chain(rows)"),
)
INVENTED_FUNCTIONS = (
    ("csv", "read_rows(rows)"),
    ("json", "load_lines(rows)"),
    ("statistics", "weighted_total(rows)"),
    ("collections", "GroupedCounter(rows)"),
    ("itertools", "group_sum(rows)"),
)
INVENTED_MODULES = ("orderflow_toolkit", "pandas_refunds", "quickledger_io", "csv_autofix")
